"""Two versions on the same rows: every figure's difference, and whether it could be chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log

import numpy as np
from numpy.typing import NDArray

from screener.model import CATEGORIES
from training.evaluation.evaluation import Evaluation
from training.evaluation.figures import Key
from training.evaluation.groups import EVERY, Group, groups
from training.evaluation.questions import HARMFUL
from training.evaluation.resampling import Figure, Samples, defined_draws, figure
from training.evaluation.rows import Rows
from training.evaluation.scored import Scorer

TESTED_TOGETHER = CATEGORIES
"""The subjects whose p values are corrected for being several."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of both versions, the second's minus the first's, and the p of a paired bootstrap."""

    first: float | None
    second: float | None
    difference: Figure
    p: float | None


@dataclass(frozen=True, slots=True)
class McNemar:
    """Decisions of two versions on the same rows: how often only one is right, and the exact p."""

    only_first_right: int
    only_second_right: int
    p: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first version is the one compared with, the second the one in question."""

    differences: Mapping[Key, Difference]
    mcnemar: Mapping[tuple[Group, str], McNemar]
    """Of the labels served, by group of all sources and subject."""
    calibration_errors: Mapping[tuple[Group, str], tuple[float, float]]
    """Of the first and the second version; without a test, since the error has no interval."""


def compare(rows: Rows, first: Evaluation, second: Evaluation) -> Comparison:
    """Compares two evaluations of the same rows with the same resamples."""
    shared = first.samples.keys() & second.samples.keys()
    return Comparison(
        {key: difference(first.samples[key], second.samples[key]) for key in sorted(shared)},
        _mcnemars(rows, first, second),
        {
            place: (found.error, second.calibrations[place].error)
            for place, found in first.calibrations.items()
            if place in second.calibrations
        },
    )


def difference(first: Samples, second: Samples) -> Difference:
    """Pairs two figures resample by resample.

    p is two-sided: twice the smaller share of resamples in which the difference is not above, or not below, 0
    (the level at which the percentile interval reaches 0), never below 2 / (1 + resamples).
    """
    gained = second - first
    draws = defined_draws(gained)
    p = None
    if draws is not None:
        tails = (1 + int((draws <= 0).sum()), 1 + int((draws >= 0).sum()))
        p = min(1.0, 2 * min(tails) / (1 + len(draws)))
    return Difference(figure(first).value, figure(second).value, figure(gained), p)


def mcnemar(only_first_right: int, only_second_right: int) -> McNemar:
    """The exact test (McNemar, 1947): were both equally good, each discordant row would be a coin's toss."""
    tosses, fewer = only_first_right + only_second_right, min(only_first_right, only_second_right)
    tail = sum(exp(_log_chance(tosses, heads)) for heads in range(fewer + 1))
    return McNemar(only_first_right, only_second_right, min(1.0, 2 * tail))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values corrected for being several (Holm, 1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected = [1.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, (len(p_values) - rank) * p_values[place])
        corrected[place] = min(1.0, largest)
    return corrected


def _mcnemars(rows: Rows, first: Evaluation, second: Evaluation) -> dict[tuple[Group, str], McNemar]:
    found = {}
    everywhere = [(group, chosen) for group, chosen in groups(rows) if group.source == EVERY]
    for asked_first, asked_second in zip(first.questions, second.questions, strict=True):
        if asked_first.subject not in (*TESTED_TOGETHER, HARMFUL):
            continue
        truth = asked_first.truth
        right, right_too = (
            _right(truth, asked.answers[Scorer.FUSED].decided) for asked in (asked_first, asked_second)
        )
        for group, chosen in everywhere:
            known = chosen & ~np.isnan(truth)
            found[group, asked_first.subject] = mcnemar(
                int((right & ~right_too & known).sum()), int((right_too & ~right & known).sum())
            )
    return found


def _right(truth: NDArray[np.float64], decided: NDArray[np.bool_]) -> NDArray[np.bool_]:
    answer: NDArray[np.bool_] = decided == (truth == 1)
    return answer


def _log_chance(tosses: int, heads: int) -> float:
    """Of so many heads in tosses of a fair coin."""
    return lgamma(tosses + 1) - lgamma(heads + 1) - lgamma(tosses - heads + 1) - tosses * log(2)
