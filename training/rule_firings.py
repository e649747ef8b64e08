"""Where each heuristic rule fires on labelled rows, how precisely, and what a ranking loses without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from screener.heuristics import HeuristicResult, Heuristics
from screener.heuristics.result import NO_EVIDENCE
from screener.heuristics.rules import Rule
from training.metrics import average_precision

Floats = NDArray[np.float64]
Judge = Callable[[int, HeuristicResult], float]
"""The risk of a row, of what the rules say of it."""


@dataclass(frozen=True, slots=True)
class Firings:
    """What fired on n rows."""

    rules: Mapping[str, Rule]
    weights: tuple[Mapping[str, float], ...]
    """For each row the rules that fire on it, with the weight that they carry there."""

    def head(self, rows: int) -> Firings:
        """Those of the first rows."""
        return Firings(self.rules, self.weights[:rows])

    def sure(self, name: str) -> NDArray[np.int64]:
        """The rows on which a rule fires and nothing speaks against it."""
        whole = self.rules[name].weight
        return np.array([row for row, fired in enumerate(self.weights) if fired.get(name) == whole], np.int64)

    def result(self, row: int, without: str | None = None) -> HeuristicResult:
        """What the rules say of a row, or all of them but one."""
        fired = {name: weight for name, weight in self.weights[row].items() if name != without}
        evidence: Sequence[float] = NO_EVIDENCE
        for name, weight in fired.items():
            if weight == self.rules[name].weight:
                evidence = [max(pair) for pair in zip(evidence, self.rules[name].evidence, strict=True)]
        return HeuristicResult(1.0 - prod(1.0 - weight for weight in fired.values()), (), tuple(evidence))


@dataclass(frozen=True, slots=True)
class Precision:
    """Of the rows whose truth is known: how many, the share that is true, and its lift over all rows."""

    n: int
    share: float
    lift: float


def fire(heuristics: Heuristics, texts: Sequence[str]) -> Firings:
    """Asks the rules about each text alone; those on the context stay silent."""
    weights: list[Mapping[str, float]] = []
    for text in texts:
        fired: dict[str, float] = {}
        for flag in heuristics.score_text(text).flags:
            fired[flag.rule] = max(fired.get(flag.rule, 0.0), flag.weight)
        weights.append(fired)
    return Firings(heuristics.rules.rules, tuple(weights))


def precision(rows: NDArray[np.int64], truth: Floats) -> Precision:
    """How precise a rule is that fires on `rows`; `truth` [all rows] is 0, 1 or NaN (unknown)."""
    hit = truth[rows]
    hit = hit[~np.isnan(hit)]
    if not hit.size:
        return Precision(0, 0.0, 0.0)
    share = float(hit.mean())
    return Precision(int(hit.size), share, share / max(float(np.nanmean(truth)), 1e-9))


def worth(firings: Firings, truth: Floats, judge: Judge) -> dict[str, float]:
    """What each rule adds to the average precision of the ranking by risk, the others being there.

    `truth` [rows] is 0, 1 or NaN (left out). Rules that rest on the one that is left out go on firing.
    """
    known = ~np.isnan(truth)
    positive = truth[known] == 1
    risks = np.array([judge(row, firings.result(row)) for row in range(len(firings.weights))])
    whole = average_precision(positive, risks[known])
    worths: dict[str, float] = {}
    for name in sorted({name for fired in firings.weights for name in fired}):
        without = risks.copy()
        for row, fired in enumerate(firings.weights):
            if name in fired:
                without[row] = judge(row, firings.result(row, without=name))
        worths[name] = whole - average_precision(positive, without[known])
    return worths
