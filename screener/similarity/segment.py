"""One segment of the index: lists over its first vectors, and the latest searched exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from pipeline.verdict import Category
from screener.similarity.answers import Found
from screener.similarity.exact import Exact
from screener.similarity.lists import Lists

_GROWS_BY = 2_048
"""Vectors searched exactly before the lists take them in, of which a copy is made each time. Exact search
costs some 15 ns a vector and query of a batch: in the mean a tenth or two of what the lists cost."""

_LEAST_IN_LISTS = 1_024
"""Below this exact search is as fast."""


class Row(NamedTuple):
    """A distinct text: the first event that said it.

    Attributes:
        event_id: the first event.
        category: its category.
        text: digest of the text.
        author: digest of the first event's author.
        seen_at_ms: when it was screened, ms since the epoch.
        informative: its informative words.
    """

    event_id: str
    category: Category
    text: bytes
    author: bytes
    seen_at_ms: int
    informative: int


@dataclass(frozen=True, slots=True)
class SegmentState:
    """A segment at one moment.

    Attributes:
        rows: one for each vector; None where it was forgotten.
        lists: of the first vectors. They are shared: a vector that is forgotten later becomes zero in them.
        tail: the other vectors, float32 [rows, 384].
    """

    rows: tuple[Row | None, ...]
    lists: Lists
    tail: NDArray[np.float32]

    def vectors(self) -> NDArray[np.float32]:
        """A copy of all, float32 [rows, 384]."""
        return np.concatenate([self.lists.vectors(), self.tail])


class Segment:
    """Rows and their vectors, in the order of arrival."""

    def __init__(self, exact: Exact, lists: Lists | None = None) -> None:
        """One without rows; `lists` without vectors, where there are centroids for them already."""
        self._exact = exact
        self.rows: list[Row | None] = []
        self.closed = False
        self._gone: list[int] = []  # numbers of the forgotten rows
        self._gone_at_sealing = 0
        # One attribute, so that a search in another thread sees lists and the tail that belongs to them.
        self._parts: tuple[Lists, faiss.Index] = (lists or Lists.empty(), exact.holding())

    @classmethod
    def restored(cls, state: SegmentState, exact: Exact) -> Segment:
        """The segment as `state` has it, whose lists are its own from now on."""
        segment = cls(exact)
        segment.rows = list(state.rows)
        segment._gone = [number for number, row in enumerate(segment.rows) if row is None]
        segment._parts = (state.lists, exact.holding(state.tail))
        if exact.is_fast:
            segment._parts = (Lists.empty(), exact.holding(state.vectors()))
        return segment

    def __len__(self) -> int:
        """Vectors, the forgotten ones included."""
        return len(self.rows)

    def add(self, rows: list[Row], vectors: NDArray[np.float32]) -> None:
        """Appends rows with their vectors float32 [rows, 384]."""
        _, tail = self._parts
        tail.add(vectors)
        self.rows += rows

    @property
    def worth_sealing(self) -> bool:
        """Whether the lists are to take in what is searched exactly: it is much, or no more comes."""
        _, tail = self._parts
        return (
            not self._exact.is_fast
            and len(self.rows) >= _LEAST_IN_LISTS
            and (tail.ntotal >= _GROWS_BY or (self.closed and tail.ntotal > 0))
        )

    def sealing(self) -> Callable[[], Lists]:
        """Makes the lists with the vectors held now: at times seconds of work, for a thread of its own."""
        self._gone_at_sealing = len(self._gone)
        lists, tail = self._parts
        vectors = tail.reconstruct_n(0, tail.ntotal)
        return lambda: lists.grown(vectors)

    def seal(self, lists: Lists) -> None:
        """Searches `lists` from now on, and exactly what came since its sealing began."""
        before, tail = self._parts
        taken_in = len(lists) - len(before)
        rest = self._exact.holding(tail.reconstruct_n(taken_in, tail.ntotal - taken_in))
        self._parts = (lists, rest)
        self._overwrite(self._gone[self._gone_at_sealing :])  # forgotten meanwhile

    def successor(self) -> Segment:
        """A new one, whose lists need no centroids of their own until they are large."""
        lists, _ = self._parts
        return Segment(self._exact, lists.emptied())

    def search(self, vectors: NDArray[np.float32], k: int) -> list[Found]:
        """The nearest `k` of each vector in the lists and in the tail: cosines and row numbers of each."""
        lists, tail = self._parts
        found = [lists.search(vectors, k)] if len(lists) else []
        if tail.ntotal:
            cosines, numbers = tail.search(vectors, min(k, tail.ntotal))
            found.append((cosines, numbers + len(lists)))
        return found

    @property
    def forgotten(self) -> bool:
        """Whether all of its rows are."""
        return len(self._gone) == len(self.rows)

    def forget(self, wanted: Callable[[Row], bool]) -> list[Row]:
        """Overwrites the vectors of such rows, which no search finds any more; returns the rows."""
        gone = {number: row for number, row in enumerate(self.rows) if row is not None and wanted(row)}
        for number in gone:
            self.rows[number] = None
        self._gone += gone
        self._overwrite(list(gone))
        return list(gone.values())

    def _overwrite(self, numbers: list[int]) -> None:
        # By the parts of now: `seal` overwrites what is gone by then in those that it puts in their place.
        lists, tail = self._parts
        lists.forget([number for number in numbers if number < len(lists)])
        self._exact.overwrite(tail, [number - len(lists) for number in numbers if number >= len(lists)])

    def capture(self) -> SegmentState:
        """What it is now."""
        lists, tail = self._parts
        return SegmentState(tuple(self.rows), lists, tail.reconstruct_n(0, tail.ntotal))
