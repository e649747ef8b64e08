"""How well scores rank rows: one sort, then every resample in one pass over the sorted weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.resampling import Samples, ratio

PRECISION = 0.95
"""The precision at which recall is told."""

_CHUNK_CELLS = 131_072  # weights looked at together: few enough for the processor's cache


@dataclass(frozen=True, slots=True)
class Ranking:
    """Each [1 + resamples]; NaN where a resample lacks a class that the figure needs."""

    auprc: Samples
    """Average precision: the mean over the positives of the precision at their score (as
    `training.metrics.average_precision`, and as scikit-learn's `average_precision_score` defines it)."""
    roc_auc: Samples
    """Chance that a positive scores above a negative, ties counting half."""
    precise_recall: Samples
    """The largest recall of a threshold with a precision of PRECISION; 0 where there is none."""


def rank(
    weights: NDArray[np.uint8], rows: NDArray[np.intp], truth: NDArray[np.bool_], scores: NDArray[np.float64]
) -> Ranking:
    """Ranks the given rows on every resample.

    Equal scores are one step, so the order of the rows has no say.

    Args:
        weights: uint8 [1 + resamples, n].
        rows: [m], which of the n.
        truth: bool [m].
        scores: [m], higher is more likely positive.
    """
    steps = _Steps(truth, scores)
    ordered = rows[steps.order]
    figures = np.full((3, len(weights)), np.nan)
    if steps.positives:
        chunk = max(1, _CHUNK_CELLS // len(rows))
        for start in range(0, len(weights), chunk):
            drawn = weights[start : start + chunk].take(ordered, axis=1)
            figures[:, start : start + chunk] = steps.measure(drawn)
    return Ranking(*figures)


class _Steps:
    """The thresholds at which recall changes: the end of every run of equal scores that holds a positive."""

    def __init__(self, truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> None:
        self.order = np.argsort(-scores, kind="stable")
        self._places = np.flatnonzero(truth[self.order])
        self.positives = len(self._places)
        ends = np.flatnonzero(np.append(np.diff(scores[self.order]) != 0, True))
        held, first = np.unique(np.searchsorted(ends, self._places), return_index=True)
        self._last_place = np.append(first[1:], self.positives) - 1
        self._ends = ends[held]
        self._before = np.append(-1, ends)[held]
        self._has_ties = bool((self._ends - self._before > 1).any())

    def measure(self, weight: NDArray[np.uint8]) -> NDArray[np.float64]:
        """[3, resamples]: the figures, from the weights [resamples, m] in the order of the scores."""
        called_up_to = np.cumsum(weight, axis=1, dtype=np.int32)
        hits = np.cumsum(weight.take(self._places, axis=1), axis=1, dtype=np.float64)
        if self._has_ties:
            hits = hits.take(self._last_place, axis=1)
        called = called_up_to.take(self._ends, axis=1).astype(np.float64)
        positive = hits[:, -1].copy()
        negative = called_up_to[:, -1] - positive
        gained = hits.copy()
        gained[:, 1:] -= hits[:, :-1]
        precision = hits / np.maximum(called, 1)
        wrong = called - hits
        lost_pairs = np.einsum("ij,ij->i", wrong, gained)
        if self._has_ties:
            before = called_up_to.take(self._before, axis=1) * (self._before >= 0)
            lost_pairs -= np.einsum("ij,ij->i", called - before - gained, gained) / 2
        return np.stack(
            [
                ratio(np.einsum("ij,ij->i", precision, gained), positive),
                ratio(positive * negative - lost_pairs, positive * negative),
                ratio(_last_where(precision >= PRECISION, hits), positive),
            ]
        )


def _last_where(holds: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """[rows]: in each row the value at the last place that holds, 0 where none does."""
    last = holds.shape[1] - 1 - holds[:, ::-1].argmax(axis=1)
    rows = np.arange(len(holds))
    return np.where(holds[rows, last], values[rows, last], 0.0)


def precision_recall_curve(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], *, points: int
) -> tuple[tuple[float, float], ...]:
    """(recall, precision) of at most `points` thresholds, in order of recall; empty without a positive."""
    if not truth.any():
        return ()
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    hits = np.cumsum(truth[order])[ends]
    chosen = np.unique(np.searchsorted(hits, np.linspace(hits[0], hits[-1], points)))
    recall, precision = hits[chosen] / hits[-1], hits[chosen] / (ends[chosen] + 1)
    return tuple(zip(recall.tolist(), precision.tolist(), strict=True))
