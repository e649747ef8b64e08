"""Whether a probability of p comes true in a share p of the rows.

The expected calibration error is the mean of |mean probability - share that came true| over bins, weighted by
their rows (Naeini, Cooper and Hauskrecht, AAAI 2015). Bins of equal count (Nguyen and O'Connor, EMNLP 2015)
do not leave the few high probabilities to bins of a handful of rows; the classic one has ten bins of equal
width. There is no bootstrap interval: resampling adds to the error the noise that the error itself measures,
so the interval would lie above it (Kumar, Liang and Ma, NeurIPS 2019). The bins have intervals instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

EQUAL_COUNT_BINS = 15
EQUAL_WIDTH_BINS = 10
_Z = 1.959964  # the normal quantile of a 95 % interval


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of like probability, and the 95 % interval (Wilson) of the share that came true."""

    rows: int
    probability: float
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of n rows; `bins` have equal counts."""

    rows: int
    error: float
    error_equal_width: float
    bins: tuple[Bin, ...]


def calibration(truth: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> Calibration | None:
    """How truth [n] keeps to probabilities [n]; None without rows."""
    if not len(truth):
        return None
    order = np.argsort(probabilities, kind="stable")
    p = probabilities[order]
    came_true = _shared_by_ties(truth[order].astype(np.float64), p)
    equal_count = np.array_split(np.arange(len(p)), min(EQUAL_COUNT_BINS, len(p)))
    edges = np.clip((p * EQUAL_WIDTH_BINS).astype(np.intp), 0, EQUAL_WIDTH_BINS - 1)
    equal_width = [np.flatnonzero(edges == place) for place in range(EQUAL_WIDTH_BINS)]
    return Calibration(
        rows=len(p),
        error=_error(equal_count, p, came_true),
        error_equal_width=_error(equal_width, p, came_true),
        bins=tuple(_bin(p[rows], came_true[rows]) for rows in equal_count),
    )


def wilson(successes: float, trials: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson, 1927); `trials` at least 1."""
    share = successes / trials
    centre = share + _Z**2 / (2 * trials)
    spread = _Z * sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    scale = 1 + _Z**2 / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def _shared_by_ties(came_true: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of one probability share what came true of them: where bins part them, their order has no say."""
    _, run = np.unique(p, return_inverse=True)
    rows = np.bincount(run)
    answer: NDArray[np.float64] = (np.bincount(run, weights=came_true) / rows)[run]
    return answer


def _error(bins: list[NDArray[np.intp]], p: NDArray[np.float64], came_true: NDArray[np.float64]) -> float:
    gaps = [abs(float(p[rows].sum() - came_true[rows].sum())) for rows in bins]
    return sum(gaps) / len(p)


def _bin(p: NDArray[np.float64], came_true: NDArray[np.float64]) -> Bin:
    share = float(came_true.mean())
    low, high = wilson(share * len(p), len(p))
    return Bin(len(p), float(p.mean()), share, low, high)
