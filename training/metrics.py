"""Scores of a ranking, written out so that the training needs nothing beyond numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Truth = NDArray[np.bool_]


def average_precision(truth: Truth, scores: Scores) -> float:
    """Area under the precision-recall curve: mean over the positives of the precision at their score.

    Equal scores count as one step, so the order of the rows has no say. NaN without a positive.
    """
    if not truth.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    # Only where the score changes does a threshold exist.
    steps = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    precision = hits[steps] / (steps + 1)
    gained = np.diff(np.append(0, hits[steps]))
    return float((precision * gained).sum() / truth.sum())


def label_threshold(truth: Truth, scores: Scores, *, slack: float, least_accuracy: float = 0.0) -> float:
    """The score from which on calling everything positive gives the best F1 at nearly the best accuracy.

    Nearly: at most `slack` below, and not below `least_accuracy` if the best is above it. Where positives are
    rare, the best F1 alone would call too many. 0.5 without a positive.
    """
    if not truth.any():
        return 0.5
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    called = np.arange(1, len(order) + 1)
    right = hits + (len(truth) - called) - (truth.sum() - hits)
    f1 = 2 * hits / (called + truth.sum())
    parted = np.append(np.diff(scores[order]) != 0, True)  # a threshold cannot part equal scores
    best = right[parted].max() / len(truth)
    needed = max(best - slack, min(best, least_accuracy))
    f1[~parted | (right < needed * len(truth))] = 0
    return float(scores[order][int(np.argmax(f1))])


def lowest_precise_threshold(
    truth: Truth, scores: Scores, *, precision: float, least_rows: int
) -> float | None:
    """The lowest score at or above which `precision` of at least `least_rows` rows are positive, or None."""
    order = np.argsort(-scores, kind="stable")
    called = np.arange(1, len(order) + 1)
    holds = (np.cumsum(truth[order]) / called >= precision) & (called >= least_rows)
    holds &= np.append(np.diff(scores[order]) != 0, True)
    places = np.flatnonzero(holds)
    return float(scores[order][places[-1]]) if len(places) else None
