"""How the time of the pure text parts grows with the length of the texts that they have most work with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log

from screener.heuristics import Heuristics, Rules
from scripts.fuzz import bombs

LENGTHS = (2_500, 5_000, 10_000)
"""The last one is the longest content that an event may have."""

MOST_EXPONENT = 1.5
"""What is taken for linear: two runs of the same on a busy machine are further apart than one expects."""

_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Growth:
    """One family of texts.

    Attributes:
        name: what the texts consist of.
        milliseconds: CPU time at each of `LENGTHS`, the least of some rounds.
        exponent: e of the power of the length, n**e, that fits best: 1 is linear.
    """

    name: str
    milliseconds: tuple[float, ...]
    exponent: float


def measure(names: Sequence[str] = bombs.NAMES, *, rounds: int = _ROUNDS) -> list[Growth]:
    """Measures normalisation and rules together, the slowest family first."""
    heuristics = Heuristics(Rules.load())
    heuristics.score_text("a warm-up 1d1ot")

    def score_anew(content: str) -> None:
        heuristics.rules.vocabulary.forget_chunks()  # who wants to be most work sends no word twice
        heuristics.score_text(content)

    grown = [_growth(name, score_anew, rounds) for name in names]
    return sorted(grown, key=lambda growth: -growth.milliseconds[-1])


def exponent(lengths: Sequence[int], times: Sequence[float]) -> float:
    """The slope of the straight line through the logarithms (least squares)."""
    xs, ys = [log(length) for length in lengths], [log(max(each, 1e-9)) for each in times]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def _growth(name: str, work: Callable[[str], object], rounds: int) -> Growth:
    times = tuple(_milliseconds(work, bombs.text(name, length), rounds) for length in LENGTHS)
    return Growth(name, times, exponent(LENGTHS, times))


def _milliseconds(work: Callable[[str], object], content: str, rounds: int) -> float:
    """The least, for whatever else the machine does only adds."""
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        work(content)
        taken.append(1_000 * (time.process_time() - started))
    return min(taken)
