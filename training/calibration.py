"""Calibration on the validation split: Platt's for the six labels, and one of both readings of any harm.

An unknown label takes no part. Any harm is 1 where some label is; it is taken for 0 where every known label
is 0, and such a row counts by the chance that its unknown labels are 0 too, as the labels judge it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.model import ANY_HARM
from training.logistic import fit_logistic, sigmoid

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns the branch's seven logits into calibrated ones."""

    slopes: Floats
    """[6]"""
    offsets: Floats
    """[6]"""
    any_harm: Floats
    """[3]: what the own logit of any harm counts, what the noisy-or's counts, the offset."""

    def logits(self, raw: Floats) -> Floats:
        """Calibrated [rows, 7] of raw [rows, 7]."""
        labels = raw[:, :ANY_HARM] * self.slopes + self.offsets
        any_harm = raw[:, ANY_HARM] * self.any_harm[0] + noisy_or_logit(labels) * self.any_harm[1]
        return np.concatenate([labels, (any_harm + self.any_harm[2])[:, np.newaxis]], axis=1)

    def probabilities(self, raw: Floats) -> Floats:
        """[rows, 7] in 0..1 of raw logits [rows, 7]."""
        return sigmoid(self.logits(raw))


def calibrate(raw: Floats, labels: NDArray[np.float32]) -> Calibration:
    """Fit on `raw` logits [rows, 7] and `labels` [rows, 6] in 0, 1, NaN (unknown)."""
    fits = [_platt(raw[:, [label]], labels[:, label], np.ones(len(raw))) for label in range(ANY_HARM)]
    slopes, offsets = np.array([slope[0] for slope, _ in fits]), np.array([offset for _, offset in fits])
    calibrated = raw[:, :ANY_HARM] * slopes + offsets
    truth, trust = any_harm(labels, sigmoid(calibrated))
    readings = np.stack([raw[:, ANY_HARM], noisy_or_logit(calibrated)], axis=1)
    shares, offset = _platt(readings, truth.astype(np.float32), trust)
    return Calibration(slopes, offsets, np.append(shares, offset))


def any_harm(labels: NDArray[np.float32], label_chances: Floats) -> tuple[Floats, Floats]:
    """Truth [rows] in 0 or 1, and how far each row is to be trusted [rows] in 0..1."""
    truth = (labels == 1).any(axis=1)
    unknown_clean = np.where(np.isnan(labels), 1 - label_chances, 1.0).prod(axis=1)
    return truth.astype(np.float64), np.where(truth, 1.0, unknown_clean)


def noisy_or_logit(label_logits: Floats) -> Floats:
    """logit(1 - Π(1 - p)) [rows] of [rows, 6] logits, as the served graph computes it."""
    total = np.maximum(np.logaddexp(0.0, label_logits).sum(axis=1), 1e-6)
    return np.asarray(total + np.log(-np.expm1(-total)), dtype=np.float64)


def _platt(logits: Floats, truth: NDArray[np.float32], trust: Floats) -> tuple[Floats, float]:
    """Slopes and offset by Platt's smoothed targets (1999, eq. 2.2.1); NaN truth is left out."""
    known = ~np.isnan(truth)
    positive = truth[known] == 1
    ups, downs = positive.sum(), (~positive).sum()
    targets = np.where(positive, (ups + 1) / (ups + 2), 1 / (downs + 2))
    width = logits.shape[1]
    return fit_logistic(logits[known].astype(np.float32), targets, trust[known], penalty=1e-6 * np.eye(width))
