"""The order of faults: in rounds, each of which has every kind once, in an order of its own. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import TypeVar

from pipeline.hand_off import HandOff

Kind = TypeVar("Kind")


def in_rounds(
    kinds: Sequence[Kind], hand_offs: Sequence[HandOff], dice: random.Random
) -> Iterator[tuple[HandOff, Kind]]:
    """For ever; the rounds go the ways of `hand_offs` in turns."""
    for hand_off in cycle(hand_offs):
        for kind in dice.sample(kinds, len(kinds)):
            yield hand_off, kind
