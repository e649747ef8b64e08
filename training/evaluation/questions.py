"""What is asked about the rows: a question has a true answer for some of them, and every scorer's answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.model import ANY_HARM, CATEGORIES
from training.evaluation.rows import Rows, harmful, harmful_if_any_holds
from training.evaluation.scored import Scored, Scorer

HARMFUL = "HARMFUL"
"""Harmful or not, of rows of which all is known that their source tells: ranked by risk, decided by whether
there is any label."""

HARMFUL_IF_ANY = "HARMFUL_IF_ANY"
"""The same, but a row with a label that holds counts, whatever is unknown beside it."""

ANY_HARM_OUTPUT = "ANY_HARM_OUTPUT"
"""The rows of HARMFUL, by the model's own output for any harm and that output's label threshold."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a scorer says to a question about n rows."""

    scores: NDArray[np.float64]
    """[n], higher is more likely."""
    decided: NDArray[np.bool_]
    """[n]: what it says at the thresholds in service."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question about n rows."""

    subject: str
    truth: NDArray[np.float64]
    """[n]: 0, 1, or NaN where nobody knows: such rows take no part."""
    answers: Mapping[Scorer, Answer]


def questions(rows: Rows, scored: Scored) -> list[Question]:
    """Each label and harm, to each scorer; and harm to the model's own output for it."""
    judged = scored.judged
    asked = [
        Question(
            label,
            rows.truth[:, column],
            {who: Answer(said.scores[:, column], said.labels[:, column]) for who, said in judged.items()},
        )
        for column, label in enumerate(CATEGORIES)
    ]
    by_risk = {who: Answer(said.risk, said.labels.any(axis=1)) for who, said in judged.items()}
    output = scored.probabilities[:, ANY_HARM]
    by_output = Answer(output, output >= scored.served.thresholds[0][ANY_HARM])
    harm = harmful(rows)
    return [
        *asked,
        Question(HARMFUL, harm, by_risk),
        Question(HARMFUL_IF_ANY, harmful_if_any_holds(rows), by_risk),
        Question(ANY_HARM_OUTPUT, harm, {Scorer.MODEL: by_output}),
    ]
