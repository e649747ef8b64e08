"""Which probabilities are held against the truth: the model's outputs, and the confidence of the verdict."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from screener.model import ANY_HARM, CATEGORIES
from training.evaluation.calibration import Calibration, calibration
from training.evaluation.categories import was_right
from training.evaluation.groups import EVERY, Group, groups
from training.evaluation.questions import ANY_HARM_OUTPUT
from training.evaluation.rows import Rows, harmful
from training.evaluation.scored import Scored, Scorer

CONFIDENCE = "CONFIDENCE"
"""The confidence of the served verdict, against whether its category is right."""

Calibrations = Mapping[tuple[Group, str], Calibration]


def calibrations(rows: Rows, scored: Scored) -> Calibrations:
    """By group and subject, for groups of all sources; what has no row with a known answer has no entry."""
    fused = scored.judged[Scorer.FUSED]
    held: list[tuple[str, NDArray[np.float64], NDArray[np.float64]]] = [
        (label, rows.truth[:, column], scored.probabilities[:, column])
        for column, label in enumerate(CATEGORIES)
    ]
    held.append((ANY_HARM_OUTPUT, harmful(rows), scored.probabilities[:, ANY_HARM]))
    held.append((CONFIDENCE, was_right(rows, fused.category), fused.confidence))
    found = {}
    for group, chosen in groups(rows):
        if group.source != EVERY:
            continue
        for subject, truth, probabilities in held:
            known = chosen & ~np.isnan(truth)
            of_group = calibration(truth[known] == 1, probabilities[known])
            if of_group is not None:
                found[group, subject] = of_group
    return found
