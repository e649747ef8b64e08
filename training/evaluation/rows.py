"""Labelled rows as columns, and what their labels tell of harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.model import CATEGORIES

SHORT_CHARACTERS = 15
"""Texts shorter than this may occur in several splits of a corpus, as "gg" does: figures come without them
too."""

TOLD_SHARE = 0.05
"""A source tells a label when at least this share of its rows has it known. Below, the few that have it took
it from an equal text of another source."""


@dataclass(frozen=True, slots=True)
class Rows:
    """n rows in the order of their files."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    parts: NDArray[np.str_]
    """[n]: the file that a row came from, without folder and endings."""
    sources: NDArray[np.str_]
    """[n]"""
    truth: NDArray[np.float64]
    """[n, 6], in the order of CATEGORIES: 0, 1, or NaN where nobody knows."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def is_short(self) -> NDArray[np.bool_]:
        """Of each row, [n]: whether its text has fewer than SHORT_CHARACTERS characters."""
        return np.array([len(text) < SHORT_CHARACTERS for text in self.texts], dtype=np.bool_)

    @property
    def is_benign(self) -> NDArray[np.bool_]:
        """Of each row, [n]: whether some label is known, and every known one is 0."""
        known = ~np.isnan(self.truth)
        answer: NDArray[np.bool_] = known.any(axis=1) & ~(self.truth == 1).any(axis=1)
        return answer


def truth_matrix(labels: Sequence[Mapping[str, int]]) -> NDArray[np.float64]:
    """float64 [n, 6] from each row's known labels; NaN for the others."""
    values = [[row.get(category, np.nan) for category in CATEGORIES] for row in labels]
    return np.array(values, dtype=np.float64).reshape(len(labels), len(CATEGORIES))


def told(rows: Rows) -> dict[str, NDArray[np.bool_]]:
    """For each source, bool [6]: the labels that it tells, by TOLD_SHARE."""
    return {
        str(source): (~np.isnan(rows.truth[rows.sources == source])).mean(axis=0) >= TOLD_SHARE
        for source in np.unique(rows.sources)
    }


def harmful(rows: Rows) -> NDArray[np.float64]:
    """[n]: 1 where a label holds, 0 where none does, NaN unless all is known that the row's source tells.

    So no row counts as harmless while a label that its annotators were asked for is open.
    """
    answer: NDArray[np.float64] = (rows.truth == 1).any(axis=1).astype(np.float64)
    for source, labels in told(rows).items():
        here = rows.sources == source
        unknown = np.isnan(rows.truth[:, labels]).any(axis=1)
        answer[here & (unknown | ~labels.any())] = np.nan
    return answer


def harmful_if_any_holds(rows: Rows) -> NDArray[np.float64]:
    """As `harmful`, but a row with a label that holds counts, whatever is unknown beside it."""
    return np.where((rows.truth == 1).any(axis=1), 1.0, harmful(rows))
