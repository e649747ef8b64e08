"""Chooses the two rows of thresholds on the validation split.

Label thresholds give the best F1 of their label at nearly its best accuracy. Escalation thresholds are the
lowest that keep two promises: nine in ten escalated rows carry the label, and of ordinary chat and talk no
more benign rows than the analysts' alert budget allows are escalated by anything at all.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from screener.model import CATEGORIES
from training.corpus import Corpus
from training.metrics import label_threshold, lowest_precise_threshold

ESCALATION_PRECISION = 0.9
ALERT_BUDGET = 0.004
"""A hundredth of all benign chat may be routed; rules, and windows over long texts, route as many again."""
SHARE_OF_ANY_HARM = 20.0
"""Of the budget, against that of one label: with an equal one a fifth of the harmful rows routed is lost."""
ACCURACY_SLACK = 0.015
"""What a label may lose in accuracy for the sake of its recall."""
LEAST_ACCURACY = 0.885
"""What it may not fall below for that: what is promised is 0.88, on rows not seen here."""
ORDINARY_SOURCES = ("gametox", "conda", "jigsaw")
"""Chat and talk as it comes, most of it benign: what the alert budget is counted on."""

_TOXIC = CATEGORIES.index("TOXIC")
_LEAST_ROWS = 20
_SHARES = np.array([*(1.0 for _ in CATEGORIES), SHARE_OF_ANY_HARM])
_LEAST, _NEVER = 0.02, 0.9999
"""_NEVER: short of 1, since what scales scores above a threshold divides by its distance to 1."""


def choose_thresholds(
    probabilities: NDArray[np.float64], truth: NDArray[np.float64], benign: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """float32 [2, outputs] from calibrated probabilities [rows, outputs] and labels in 0, 1, NaN (unknown).

    `benign` [rows] marks the rows that the alert budget is counted on.
    """
    label = [_on_known(_label, p, t) for p, t in zip(probabilities.T, truth.T, strict=True)]
    precise = np.array([_on_known(_precise, p, t) for p, t in zip(probabilities.T, truth.T, strict=True)])
    escalation = _within_budget(precise, probabilities[benign])
    exact = np.clip(np.array([label, escalation]), _LEAST, _NEVER)
    # Rounded up: a float32 just below its double would let in the row that the budget kept out.
    return np.nextafter(exact.astype(np.float32), np.float32(1), dtype=np.float32)


def truth_with_any(corpus: Corpus) -> NDArray[np.float64]:
    """The labels and any harm [rows, 7]; the latter unknown where none is 1 and TOXIC is unknown.

    Rows that tell SPAM or SEXUAL alone are an exception: without the label they are taken for harmless.
    """
    labels = corpus.labels.astype(np.float64)
    known = ~np.isnan(labels)
    rare = known[:, [CATEGORIES.index("SPAM"), CATEGORIES.index("SEXUAL")]].any(axis=1)
    tells = known[:, _TOXIC] | (rare & (known.sum(axis=1) == 1))
    any_harm = np.where((labels == 1).any(axis=1), 1.0, np.where(tells, 0.0, np.nan))
    return np.concatenate([labels, any_harm[:, np.newaxis]], axis=1)


def benign(corpus: Corpus) -> NDArray[np.bool_]:
    """[rows]: ordinary chat and talk whose TOXIC is 0 and that has no label: what alerts are counted on."""
    clean = (corpus.labels[:, _TOXIC] == 0) & ~(corpus.labels == 1).any(axis=1)
    return np.asarray(np.isin(corpus.sources, ORDINARY_SOURCES) & clean)


def escalated(probabilities: NDArray[np.float64], thresholds: NDArray[np.float64]) -> float:
    """The share of rows in which some probability reaches its threshold."""
    return float((probabilities >= thresholds).any(axis=1).mean())


def _within_budget(precise: NDArray[np.float64], benign: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lowest thresholds at or above `precise` that keep the budget, split by `_SHARES`."""

    def escalating(share: float) -> NDArray[np.float64]:
        tails = np.minimum(1.0, share * _SHARES)
        exact = [np.quantile(column, 1.0 - tail) for column, tail in zip(benign.T, tails, strict=True)]
        return np.maximum(precise, np.nextafter(exact, 2.0))

    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if escalated(benign, escalating(middle)) <= ALERT_BUDGET:
            low = middle
        else:
            high = middle
    return escalating(low)


def _label(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    return label_threshold(truth, scores, slack=ACCURACY_SLACK, least_accuracy=LEAST_ACCURACY)


def _precise(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    threshold = lowest_precise_threshold(
        truth, scores, precision=ESCALATION_PRECISION, least_rows=_LEAST_ROWS
    )
    return _NEVER if threshold is None else threshold


def _on_known(
    choose: Callable[[NDArray[np.bool_], NDArray[np.float64]], float],
    probabilities: NDArray[np.float64],
    truth: NDArray[np.float64],
) -> float:
    known = ~np.isnan(truth)
    return choose(truth[known] == 1, probabilities[known])
