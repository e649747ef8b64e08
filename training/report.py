"""The figures that are committed beside the weights: what the branch alone scored, label by label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from screener.model import CATEGORIES
from training.calibration import Floats
from training.corpus import Corpus
from training.evaluation.calibration import calibration
from training.logistic import sigmoid
from training.metrics import average_precision
from training.thresholds import benign, escalated, truth_with_any

OUTPUT_NAMES = (*CATEGORIES, "ANY")


def split_report(chances: Floats, corpus: Corpus, thresholds: NDArray[np.float32]) -> dict[str, Any]:
    """Of probabilities [rows, 7] on one split."""
    truth = truth_with_any(corpus)
    outputs = {
        name: _output_report(truth[:, output], chances[:, output], thresholds[:, output])
        for output, name in enumerate(OUTPUT_NAMES)
    }
    labels = [outputs[name]["auprc"] for name in CATEGORIES]
    report: dict[str, Any] = {
        "rows": len(corpus),
        "macro_auprc": round(float(np.nanmean(labels)), 4),
        "outputs": outputs,
    }
    harmless = benign(corpus)
    if harmless.any():
        report["benign_rows_of_ordinary_sources"] = int(harmless.sum())
        report["benign_rows_escalated"] = round(
            escalated(chances[harmless], thresholds[1].astype(np.float64)), 5
        )
    report["auprc_by_source"] = _by_source(corpus, truth, chances)
    return report


def stand_in_report(corpus: Corpus, raw: Floats) -> dict[str, Any]:
    """AUPRC by source of raw logits [rows, 7], for sources that were left out."""
    return _by_source(corpus, truth_with_any(corpus), sigmoid(raw))


def thresholds_report(thresholds: NDArray[np.float32]) -> dict[str, Any]:
    """By output, readable."""
    return {
        name: {"label": round(float(low), 4), "escalation": round(float(high), 4)}
        for name, low, high in zip(OUTPUT_NAMES, *thresholds, strict=True)
    }


def _by_source(corpus: Corpus, truth: Floats, chances: Floats) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for source in np.unique(corpus.sources):
        rows = corpus.sources == source
        areas = {name: _area(truth[rows, o], chances[rows, o]) for o, name in enumerate(OUTPUT_NAMES)}
        found[str(source)] = {name: round(area, 4) for name, area in areas.items() if not np.isnan(area)}
    return found


def _area(truth: Floats, chances: Floats) -> float:
    known = ~np.isnan(truth)
    positive = truth[known] == 1
    return float("nan") if positive.all() else average_precision(positive, chances[known])


def _output_report(truth: Floats, chances: Floats, thresholds: NDArray[np.float32]) -> dict[str, Any]:
    known = ~np.isnan(truth)
    positive, chance = truth[known] == 1, chances[known]
    return {
        "positives": int(positive.sum()),
        "negatives": int((~positive).sum()),
        "auprc": round(average_precision(positive, chance), 4),
        "calibration_error": _calibration_error(positive, chance),
        "accuracy": round(float((positive == (chance >= thresholds[0])).mean()), 4)
        if len(positive)
        else None,
        "at_label_threshold": _at(positive, chance >= thresholds[0]),
        "at_escalation_threshold": _at(positive, chance >= thresholds[1]),
    }


def _calibration_error(positive: NDArray[np.bool_], chance: Floats) -> float | None:
    found = calibration(positive, chance)
    return round(found.error, 4) if found else None


def _at(positive: NDArray[np.bool_], called: NDArray[np.bool_]) -> dict[str, float]:
    hits = float((positive & called).sum())
    return {
        "precision": round(hits / max(float(called.sum()), 1.0), 4),
        "recall": round(hits / max(float(positive.sum()), 1.0), 4),
    }
