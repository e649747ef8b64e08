"""Whether harmless texts in African American English are flagged more often than other harmless texts.

On `davidson`, a corpus in which that has been found of annotators and classifiers alike (Sap, Card, Gabriel,
Choi and Smith: The Risk of Racial Bias in Hate Speech Detection, ACL 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.model import CATEGORIES
from training.evaluation.dialect import Dialect
from training.evaluation.figures import Figures, Key
from training.evaluation.groups import ALL_LENGTHS, EVERY, WITHOUT_SHORT, Group
from training.evaluation.resampling import ratio, sums
from training.evaluation.rows import Rows
from training.evaluation.scored import Judged, Scorer

SOURCE = "davidson"
ROUTED = "ROUTED"
"""As a subject: routed to review, of rows whose known labels are all 0."""

SUBJECTS = ("TOXIC", "HATE_SPEECH", ROUTED)
IN_AAE, IN_OTHER, AAE_TO_OTHER = (
    "false_positive_rate_aae",
    "false_positive_rate_other",
    "false_positive_ratio",
)
"""The metrics: the rate in AAE texts, in other texts, and the first over the second."""


@dataclass(frozen=True, slots=True)
class Harmless:
    """How many harmless rows there are in AAE, and how many others."""

    aae: int
    other: int


def fairness_figures(
    rows: Rows, judged: Mapping[Scorer, Judged], weights: NDArray[np.uint8]
) -> tuple[Figures, dict[tuple[Group, str], Harmless]]:
    """The three metrics of every subject and scorer, of the rows of SOURCE; empty where there are none.

    The ratio is not defined while no other text is flagged.
    """
    figures: Figures = {}
    counts: dict[tuple[Group, str], Harmless] = {}
    of_source = rows.sources == SOURCE
    if not of_source.any():
        return figures, counts
    dialect = Dialect.load()
    in_aae = np.array(
        [here and dialect.is_in(text) for text, here in zip(rows.texts, of_source, strict=True)]
    )
    for lengths, chosen in ((ALL_LENGTHS, of_source), (WITHOUT_SHORT, of_source & ~rows.is_short)):
        group = Group(EVERY, lengths, SOURCE)
        for subject in SUBJECTS:
            harmless = np.flatnonzero(chosen & _harmless(rows, subject))
            aae = in_aae[harmless]
            counts[group, subject] = Harmless(int(aae.sum()), int((~aae).sum()))
            for scorer, said in judged.items():
                flagged = _flagged(said, subject)[harmless]
                amounts = np.stack([aae, aae & flagged, ~aae, ~aae & flagged], axis=1)
                all_aae, flagged_aae, all_other, flagged_other = sums(weights, harmless, amounts).T
                rate, other = ratio(flagged_aae, all_aae), ratio(flagged_other, all_other)
                figures[Key(group, scorer, subject, IN_AAE)] = rate
                figures[Key(group, scorer, subject, IN_OTHER)] = other
                figures[Key(group, scorer, subject, AAE_TO_OTHER)] = ratio(rate, other)
    return figures, counts


def _harmless(rows: Rows, subject: str) -> NDArray[np.bool_]:
    if subject == ROUTED:
        return rows.is_benign
    answer: NDArray[np.bool_] = rows.truth[:, CATEGORIES.index(subject)] == 0
    return answer


def _flagged(said: Judged, subject: str) -> NDArray[np.bool_]:
    return said.routed if subject == ROUTED else said.labels[:, CATEGORIES.index(subject)]
