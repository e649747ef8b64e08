"""The final category, of which a verdict has one while a row may have several labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.model import CATEGORIES
from training.evaluation.figures import Figures, Key
from training.evaluation.groups import EVERY, Group, groups
from training.evaluation.resampling import ratio, sums
from training.evaluation.rows import Rows, harmful
from training.evaluation.scored import Judged, Scorer

LOW_RISK = "LOW_RISK"
CATEGORY = "CATEGORY"
"""As a subject: whether the final category is right."""

NAMES = (LOW_RISK, *CATEGORIES)
"""The rows and columns of a confusion matrix."""

_MOST_SPECIFIC_FIRST = ("VIOLENCE", "SEXUAL", "HATE_SPEECH", "SPAM", "TARGETED_HARASSMENT", "TOXIC")


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts [7, 7]: true category by final one, in the order of NAMES; and the rows left out.

    A row counts once. It counts as right where the final category is one of its labels; otherwise its true
    category is the most specific of its labels, or LOW_RISK where it has none.

    Attributes:
        counts: int [7, 7].
        not_told: rows whose final category their source does not tell, so that nobody knows.
    """

    counts: NDArray[np.int64]
    not_told: int


def was_right(rows: Rows, category: NDArray[np.intp]) -> NDArray[np.float64]:
    """[n]: 1 or 0 whether the final category (-1 is LOW_RISK) is right, NaN where nobody knows.

    A harmful category is right where its label holds; LOW_RISK, where none does. Asked of the rows of
    `harmful` alone: elsewhere a wrong LOW_RISK could hide behind an unknown label, a wrong label could not.
    """
    harm = harmful(rows)
    of_label = rows.truth[np.arange(len(rows)), np.maximum(category, 0)]
    return np.where(np.isnan(harm), np.nan, np.where(category < 0, 1 - harm, of_label))


def category_figures(rows: Rows, judged: Mapping[Scorer, Judged], weights: NDArray[np.uint8]) -> Figures:
    """The accuracy of the final category for every group and scorer, of the rows where it can be told."""
    figures: Figures = {}
    for scorer, said in judged.items():
        right = was_right(rows, said.category)
        for group, chosen in groups(rows):
            known = np.flatnonzero(chosen & ~np.isnan(right))
            if len(known):
                amounts = np.stack([np.ones(len(known), dtype=np.bool_), right[known] == 1], axis=1)
                every, hits = sums(weights, known, amounts).T
                figures[Key(group, scorer, CATEGORY, "accuracy")] = ratio(hits, every)
    return figures


def confusions(rows: Rows, judged: Mapping[Scorer, Judged]) -> dict[tuple[Group, Scorer], Confusion]:
    """For every scorer and every group of all sources."""
    return {
        (group, scorer): confusion(rows, chosen, said.category)
        for group, chosen in groups(rows)
        if group.source == EVERY
        for scorer, said in judged.items()
    }


def confusion(rows: Rows, chosen: NDArray[np.bool_], category: NDArray[np.intp]) -> Confusion:
    """Of the chosen rows [n] of which it is known whether they are harmful, by their final category [n]."""
    right = was_right(rows, category)
    decided = chosen & ~np.isnan(harmful(rows))
    told = decided & ~np.isnan(right)
    true = np.where(right == 1, category, _most_specific(rows))[told] + 1
    counts = np.zeros((len(NAMES), len(NAMES)), dtype=np.int64)
    np.add.at(counts, (true, category[told] + 1), 1)
    return Confusion(counts, int((decided & ~told).sum()))


def _most_specific(rows: Rows) -> NDArray[np.intp]:
    answer = np.full(len(rows), -1, dtype=np.intp)
    for label in reversed(_MOST_SPECIFIC_FIRST):
        column = CATEGORIES.index(label)
        answer[rows.truth[:, column] == 1] = column
    return answer
