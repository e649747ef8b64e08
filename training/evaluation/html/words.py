"""Names and numbers as people read them."""

from __future__ import annotations

from training.evaluation.alerts import BENIGN, BENIGN_CHAT
from training.evaluation.calibrations import CONFIDENCE
from training.evaluation.categories import CATEGORY
from training.evaluation.fairness import AAE_TO_OTHER, IN_AAE, IN_OTHER, ROUTED
from training.evaluation.figures import MEAN
from training.evaluation.groups import ALL_LENGTHS, WITHOUT_SHORT
from training.evaluation.questions import ANY_HARM_OUTPUT, HARMFUL, HARMFUL_IF_ANY
from training.evaluation.resampling import Figure
from training.evaluation.rows import SHORT_CHARACTERS
from training.evaluation.scored import Scorer

SUBJECTS = {
    HARMFUL: "harmful or not",
    HARMFUL_IF_ANY: "harmful, if any label holds",
    ANY_HARM_OUTPUT: "any harm, the model's output",
    MEAN: "mean of the labels",
    CATEGORY: "final category",
    CONFIDENCE: "confidence",
    BENIGN: "benign rows",
    BENIGN_CHAT: "benign chat",
    ROUTED: "routed to review",
}
LENGTHS = {ALL_LENGTHS: "all rows", WITHOUT_SHORT: f"without texts under {SHORT_CHARACTERS} characters"}
SCORERS = {Scorer.FUSED: "fused", Scorer.MODEL: "model alone", Scorer.HEURISTICS: "heuristics alone"}
METRICS = {
    "auprc": "AUPRC",
    "roc_auc": "ROC AUC",
    "precision": "precision",
    "recall": "recall",
    "recall_at_95_precision": "recall at 95 % precision",
    "accuracy": "accuracy",
}
"""The metrics of every question."""

_OTHER_METRICS = {
    IN_AAE: "false positives in AAE",
    IN_OTHER: "false positives, others",
    AAE_TO_OTHER: "false positives, AAE to others",
}


def subject(name: str) -> str:
    """A label or another subject."""
    return SUBJECTS.get(name) or name.lower().replace("_", " ")


def metric(name: str) -> str:
    """A metric."""
    return METRICS.get(name) or _OTHER_METRICS.get(name) or name


def number(value: float | None, form: str = ".3f") -> str:
    """A number, or a dash."""
    return "–" if value is None else f"{value:{form}}"


def interval(figure: Figure, form: str = ".3f") -> str:
    """Where a figure lies, or nothing."""
    if figure.low is None or figure.high is None:
        return ""
    return f"{figure.low:{form}} to {figure.high:{form}}"
