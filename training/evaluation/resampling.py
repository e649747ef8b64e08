"""Bootstrap by row: every figure is computed once on the rows and once on each resample of them.

A resample is a vector of weights, how often each row was drawn, so nothing is sorted or copied again. All
figures of a run share the resamples: figures of two model versions, two scorers or two labels are paired, and
their difference or mean is computed resample by resample (Efron and Tibshirani, An Introduction to the
Bootstrap, 1993, chapters 13 and 16).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
"""[1 + resamples]: a figure on the rows as they are, then on each resample; NaN where it is not defined."""

LEVEL = 0.95
_MOST_UNDEFINED = 0.05
_CHUNK = 64


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, and where it lies with 95 % confidence; None where that cannot be told."""

    value: float | None
    low: float | None = None
    high: float | None = None


def resampled(rows: int, *, resamples: int, seed: int) -> NDArray[np.uint8]:
    """Weights [1 + resamples, rows]: ones, then how often each row is drawn when so many are drawn."""
    generator = np.random.default_rng(seed)
    weights = np.ones((1 + resamples, rows), dtype=np.uint8)
    for resample in range(1, 1 + resamples):
        drawn = generator.integers(0, rows, rows, dtype=np.int32)
        # One row of many is not drawn 256 times: the chance is below 1 in 256!.
        weights[resample] = np.minimum(np.bincount(drawn, minlength=rows), 255)
    return weights


def sums(weights: NDArray[np.uint8], rows: NDArray[np.intp], amounts: NDArray[np.bool_]) -> Samples:
    """[1 + resamples, k]: the weighted number of the given rows for which each column of `amounts` holds.

    Args:
        weights: uint8 [1 + resamples, n].
        rows: [m], which of the n.
        amounts: bool [m, k].
    """
    columns = amounts.astype(np.float32)  # counts below 2^24 stay exact, and BLAS multiplies them
    answer = np.empty((len(weights), amounts.shape[1]))
    for start in range(0, len(weights), _CHUNK):
        chunk = weights[start : start + _CHUNK].take(rows, axis=1).astype(np.float32)
        answer[start : start + _CHUNK] = chunk @ columns
    return answer


def ratio(part: Samples, whole: Samples) -> Samples:
    """Part over whole, NaN where the whole is nothing."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def mean(samples: Sequence[Samples]) -> Samples:
    """The mean of those figures that the rows define; a resample that lacks one of them leaves it out."""
    defined = np.array([figure for figure in samples if not np.isnan(figure[0])])
    if not len(defined):
        return np.full_like(samples[0], np.nan)
    known = ~np.isnan(defined)
    return ratio(np.where(known, defined, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64))


def figure(samples: Samples) -> Figure:
    """The figure with its percentile interval.

    There is none where too few resamples define the figure, nor where all give the same: a share of 0 or 1 is
    no more certain for that.
    """
    if np.isnan(samples[0]):
        return Figure(None)
    value, draws = float(samples[0]), defined_draws(samples)
    if draws is None or draws.min() == draws.max():
        return Figure(value)
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Figure(value, float(low), float(high))


def defined_draws(samples: Samples) -> NDArray[np.float64] | None:
    """The resamples that define the figure; None where more than one in twenty does not.

    That is so with three positives or fewer.
    """
    draws = samples[1:][~np.isnan(samples[1:])]
    few = len(draws) < (1 - _MOST_UNDEFINED) * (len(samples) - 1)
    return None if few or not len(draws) else draws
