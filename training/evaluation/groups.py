"""Which rows a figure is of: a part and a source, with or without the short texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.rows import Rows

EVERY = ""
"""As a part or a source: all of them."""

ALL_LENGTHS, WITHOUT_SHORT = "all", "without_short"


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """A set of rows by name: `part` and `source` may be EVERY."""

    part: str
    lengths: str
    source: str = EVERY


def groups(rows: Rows) -> Iterator[tuple[Group, NDArray[np.bool_]]]:
    """Every group with bool [n]: all rows, each file of several, each source; also without short texts."""
    everywhere = np.ones(len(rows), dtype=np.bool_)
    parts = np.unique(rows.parts)
    for lengths, chosen in ((ALL_LENGTHS, everywhere), (WITHOUT_SHORT, ~rows.is_short)):
        yield Group(EVERY, lengths), chosen
        if len(parts) > 1:
            for part in parts:
                yield Group(str(part), lengths), chosen & (rows.parts == part)
        for source in np.unique(rows.sources):
            yield Group(EVERY, lengths, str(source)), chosen & (rows.sources == source)
