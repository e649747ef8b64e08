"""`Evaluation`: all that is told of one version's scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.alerts import alert_figures
from training.evaluation.calibrations import Calibrations, calibrations
from training.evaluation.categories import Confusion, category_figures, confusions
from training.evaluation.fairness import Harmless, fairness_figures
from training.evaluation.figures import Counts, Figures, Key, question_figures
from training.evaluation.groups import Group
from training.evaluation.questions import Question, questions
from training.evaluation.ranking import precision_recall_curve
from training.evaluation.resampling import Figure, figure
from training.evaluation.rows import Rows
from training.evaluation.scored import Scored, Scorer, Served

_CURVE_POINTS = 160

Curve = tuple[tuple[float, float], ...]
"""(recall, precision), in order of recall."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One version's figures on some rows."""

    served: Served
    samples: Figures
    figures: Mapping[Key, Figure]
    """The same with their intervals."""
    counts: Counts
    harmless: Mapping[tuple[Group, str], Harmless]
    """Rows behind the figures of fairness."""
    calibrations: Calibrations
    confusions: Mapping[tuple[Group, Scorer], Confusion]
    curves: Mapping[tuple[str, Scorer], Curve]
    """Precision over recall by subject, of all rows."""
    questions: tuple[Question, ...]
    """What the figures answer; for tests that pair rows."""


def evaluate(rows: Rows, scored: Scored, weights: NDArray[np.uint8]) -> Evaluation:
    """Computes everything.

    Args:
        rows: n rows.
        scored: what was said of them, in the same order.
        weights: uint8 [1 + resamples, n] of `resampled`; two evaluations to be compared need the same.
    """
    asked = questions(rows, scored)
    figures, counts = question_figures(rows, asked, weights)
    alerts, benign = alert_figures(rows, scored.judged, weights)
    fairness, harmless = fairness_figures(rows, scored.judged, weights)
    samples = figures | alerts | fairness | category_figures(rows, scored.judged, weights)
    return Evaluation(
        served=scored.served,
        samples=samples,
        figures={key: figure(of_key) for key, of_key in samples.items()},
        counts=counts | benign,
        harmless=harmless,
        calibrations=calibrations(rows, scored),
        confusions=confusions(rows, scored.judged),
        curves={
            (question.subject, scorer): precision_recall_curve(
                question.truth[known] == 1, answer.scores[known], points=_CURVE_POINTS
            )
            for question in asked
            for known in [~np.isnan(question.truth)]
            for scorer, answer in question.answers.items()
        },
        questions=tuple(asked),
    )
