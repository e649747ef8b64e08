"""Fits the six label outputs on embeddings, and calibrates them and the probability of any harm.

An unknown label takes no part in its output's loss. Rows count by source with the power `source_power` of the
source's size, so that large sources do not drown small ones.

Any harm is 1 where some label is. It is taken for 0 where every known label is 0, and such a row counts by
the chance that its unknown labels are 0 too, as the label outputs themselves judge it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.model import ANY_HARM
from training.corpus import Corpus
from training.logistic import fit_logistic, sigmoid

Floats = NDArray[np.float64]

ROUNDING_WEIGHT = 30.0
"""Of the rounding error in the penalty; docs/model-card.md tells what it costs and brings."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is tried against other recipes on the validation split."""

    l2: float
    source_power: float
    with_extra: bool


@dataclass(frozen=True, slots=True)
class Linear:
    """logits = embeddings @ weight + bias."""

    weight: Floats
    """[384, outputs]"""
    bias: Floats
    """[outputs]"""

    def logits(self, embeddings: NDArray[np.float32]) -> Floats:
        """Of each row and output: [rows, outputs]."""
        return np.asarray(embeddings @ self.weight + self.bias, dtype=np.float64)


def fit_labels(embeddings: NDArray[np.float32], corpus: Corpus, rounding: Floats, recipe: Recipe) -> Linear:
    """The six label outputs, uncalibrated."""
    weights = source_weights(corpus.sources, recipe.source_power)
    columns = [
        _fit_output(embeddings, corpus.labels[:, label].astype(np.float64), weights, rounding, recipe)
        for label in range(ANY_HARM)
    ]
    return Linear(np.stack([w for w, _ in columns], axis=1), np.array([b for _, b in columns]))


def any_harm(labels: NDArray[np.float32], label_chances: Floats) -> tuple[Floats, Floats]:
    """Truth [rows] in 0 or 1, and how far each row is to be trusted [rows] in 0..1."""
    truth = (labels == 1).any(axis=1)
    unknown_clean = np.where(np.isnan(labels), 1 - label_chances, 1.0).prod(axis=1)
    return truth.astype(np.float64), np.where(truth, 1.0, unknown_clean)


def calibrate(raw: Linear, embeddings: NDArray[np.float32], truth: Floats, trust: Floats) -> Linear:
    """Platt's scaling of every output on the validation split, folded into the weights.

    `truth` and `trust` are [rows, outputs]; NaN truth is left out. Targets are Platt's smoothed ones (1999,
    eq. 2.2.1).
    """
    logits = raw.logits(embeddings)
    slopes, offsets = np.ones(truth.shape[1]), np.zeros(truth.shape[1])
    for output in range(truth.shape[1]):
        known = ~np.isnan(truth[:, output])
        positive = truth[known, output] == 1
        ups, downs = positive.sum(), (~positive).sum()
        targets = np.where(positive, (ups + 1) / (ups + 2), 1 / (downs + 2))
        slope, offsets[output] = fit_logistic(
            logits[known, output : output + 1].astype(np.float32),
            targets,
            trust[known, output],
            penalty=np.zeros((1, 1)),
        )
        slopes[output] = slope[0]
    return Linear(raw.weight * slopes, raw.bias * slopes + offsets)


def calibrate_any(label_logits: Floats, truth: Floats, trust: Floats) -> Floats:
    """Slope and offset [2] that turn the noisy-or's logit into the probability of any harm."""
    noisy_or = Linear(np.ones((1, 1)), np.zeros(1))
    logits = noisy_or_logit(label_logits).astype(np.float32)[:, np.newaxis]
    calibrated = calibrate(noisy_or, logits, truth[:, np.newaxis], trust[:, np.newaxis])
    return np.array([calibrated.weight[0, 0], calibrated.bias[0]])


def noisy_or_logit(label_logits: Floats) -> Floats:
    """logit(1 - Π(1 - p)) [rows] of [rows, 6] logits, as the served graph computes it."""
    total = np.maximum(np.logaddexp(0.0, label_logits).sum(axis=1), 1e-6)
    return np.asarray(total + np.log(-np.expm1(-total)), dtype=np.float64)


def source_weights(sources: NDArray[np.str_], power: float) -> Floats:
    """[rows], mean 1: a source of n rows weighs n**power in all."""
    _, places, counts = np.unique(sources, return_inverse=True, return_counts=True)
    each = counts.astype(np.float64) ** (power - 1.0)
    weights = each[places]
    return np.asarray(weights * (len(sources) / weights.sum()), dtype=np.float64)


def probabilities(labels: Linear, any_scale: Floats, embeddings: NDArray[np.float32]) -> Floats:
    """All seven [rows, 7] in 0..1."""
    logits = labels.logits(embeddings)
    any_logit = any_scale[0] * noisy_or_logit(logits) + any_scale[1]
    return sigmoid(np.concatenate([logits, any_logit[:, np.newaxis]], axis=1))


def _fit_output(
    embeddings: NDArray[np.float32], truth: Floats, weights: Floats, rounding: Floats, recipe: Recipe
) -> tuple[Floats, float]:
    known = ~np.isnan(truth)
    rows = embeddings[known]
    # e5's embeddings share a long common part: without centring, the penalty would fall on it.
    centre = rows.mean(axis=0)
    spread = float(rows.std())
    features = (rows - centre) / spread
    penalty = recipe.l2 * np.eye(features.shape[1]) + ROUNDING_WEIGHT * rounding / spread**2
    weight, bias = fit_logistic(features, truth[known], weights[known], penalty=penalty)
    weight = weight / spread
    return weight, bias - float(centre @ weight)
