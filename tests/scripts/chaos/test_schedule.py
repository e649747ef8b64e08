"""The order of faults."""

from __future__ import annotations

import random
from itertools import islice

from pipeline.hand_off import HandOff
from scripts.chaos.schedule import in_rounds

KINDS = list("abcdefgh")
BOTH = (HandOff.STREAM, HandOff.DIRECT)


def first(number: int, *, seed: int) -> list[tuple[HandOff, str]]:
    return list(islice(in_rounds(KINDS, BOTH, random.Random(seed)), number))  # noqa: S311  # no secret


def test_each_round_has_every_kind_once_and_one_way() -> None:
    order = first(32, seed=5)
    rounds = [order[start : start + 8] for start in range(0, 32, 8)]
    assert [sorted(kind for _, kind in each) for each in rounds] == [KINDS] * 4
    assert [{way for way, _ in each} for each in rounds] == [
        {HandOff.STREAM},
        {HandOff.DIRECT},
        {HandOff.STREAM},
        {HandOff.DIRECT},
    ]
    assert rounds[0] != [(HandOff.STREAM, kind) for _, kind in rounds[1]]


def test_a_seed_gives_the_same_order_again() -> None:
    assert first(20, seed=7) == first(20, seed=7)
    assert first(20, seed=7) != first(20, seed=8)
