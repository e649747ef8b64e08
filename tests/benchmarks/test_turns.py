"""Rounds in turns, their medians, and load that counts the wait."""

from __future__ import annotations

import math
import time

import pytest

from benchmarks.open_loop import at_rate
from benchmarks.texts import known_texts
from benchmarks.turns import Figures, Series, in_turns, percentile


async def test_contestants_take_turns_and_change_their_order() -> None:
    ran: list[str] = []

    def contestant(name: str) -> Figures:
        ran.append(name)
        return {"place": float(len(ran))}

    async def a() -> Figures:
        return contestant("a")

    async def b() -> Figures:
        return contestant("b")

    found = await in_turns({"a": a, "b": b}, rounds=3)
    assert ran == ["a", "b", "b", "a", "a", "b"]
    assert found["a"]["place"].values == (1.0, 4.0, 5.0)
    assert found["a"]["place"].median == 4.0


def test_a_spread_is_a_share_of_the_median() -> None:
    assert Series((9.0, 10.0, 12.0)).spread == pytest.approx(0.3)
    assert Series((0.0, 0.0)).spread == 0.0


def test_percentiles_by_nearest_rank() -> None:
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, 0.5) == 50.0
    assert percentile(values, 0.99) == 99.0
    assert percentile([7.0], 0.01) == 7.0
    assert math.isnan(percentile([], 0.5))


async def test_a_stall_shows_in_every_call_that_it_delayed() -> None:
    async def call(number: int) -> None:
        if number == 0:
            time.sleep(0.2)  # noqa: ASYNC251  # the loop stands still, as a stalled client's would

    times = await at_rate(call, per_second=50, seconds=0.1)
    assert len(times) == 5
    assert times[1] >= 0.15  # due after 20 ms, and not before the stall was over


async def test_a_failing_call_fails_the_measurement() -> None:
    async def call(_: int) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await at_rate(call, per_second=100, seconds=0.02)


def test_known_texts_are_many_different_ones() -> None:
    assert len(set(known_texts(500))) == 500
    assert known_texts(500) == known_texts(500)
