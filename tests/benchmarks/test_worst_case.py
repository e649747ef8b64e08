"""No text makes normalisation or a rule slower than linear: counted in steps, and in CPU time."""

from __future__ import annotations

import sys
import time
from math import log
from types import FrameType
from typing import Any

import pytest

from benchmarks.worst_case import exponent
from scripts.fuzz import bombs
from tests.fixtures.screening import HEURISTICS

SHORT, LONG = 1_000, 4_000
MOST_STEPS = 1.15
"""Exponent of the growth of the lines that Python executes: those do not depend on the machine."""

MOST_TIME = 1.6
"""Exponent of the growth of the CPU time, which what else runs can spoil; quadratic is 2."""

_TRIES = 5


def steps(content: str) -> int:
    """Lines of Python executed for one text."""
    count = 0
    HEURISTICS.rules.vocabulary.forget_chunks()

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        HEURISTICS.score_text(content)
    finally:
        sys.settrace(before)
    return count


def seconds(content: str) -> float:
    HEURISTICS.rules.vocabulary.forget_chunks()
    started = time.process_time()
    HEURISTICS.score_text(content)
    return time.process_time() - started


@pytest.mark.parametrize("name", bombs.NAMES)
def test_steps_grow_no_faster_than_the_text(name: str) -> None:
    HEURISTICS.score_text(bombs.text(name, SHORT))  # characters are remembered
    growth = log(steps(bombs.text(name, LONG)) / steps(bombs.text(name, SHORT))) / log(LONG / SHORT)
    assert growth <= MOST_STEPS


@pytest.mark.parametrize("name", bombs.NAMES)
def test_neither_does_the_time_that_no_step_shows(name: str) -> None:
    lengths = (2_500, 10_000)
    texts = [bombs.text(name, length) for length in lengths]
    best = [min(seconds(text) for _ in range(3)) for text in texts]
    for _ in range(_TRIES):
        if exponent(lengths, best) <= MOST_TIME:
            return
        best = [min(before, seconds(text)) for before, text in zip(best, texts, strict=True)]
    assert exponent(lengths, best) <= MOST_TIME


def test_the_exponent_is_that_of_the_power() -> None:
    assert exponent((1, 10, 100), (3, 30, 300)) == pytest.approx(1)
    assert exponent((10, 20, 40), (1, 4, 16)) == pytest.approx(2)
