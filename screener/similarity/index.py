"""The similarity index: a log of segments, the newest exact, the oldest dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.verdict import Category
from screener.similarity.exact import Exact, OnProcessors
from screener.similarity.families import Families
from screener.similarity.family import Family, FamilyState
from screener.similarity.seen import Seen
from screener.similarity.segment import Row, Segment, SegmentState

_LEAVE_WITH_ONE = 20
"""Texts of a dropped segment that leave their families with each new text, at 1.5 us each: all 50,000 at once
were a stall of 75 ms of the event loop."""


class Neighbour(NamedTuple):
    """An earlier text near a query.

    Attributes:
        event_id: the first event that said it.
        cosine: -1..1.
        category: of that event.
        text: digest of the text.
        informative: its informative words.
        family: the family that it belongs to. To be read where the index is changed: on the event loop.
    """

    event_id: str
    cosine: float
    category: Category
    text: bytes
    informative: int
    family: Family


@dataclass(frozen=True, slots=True)
class IndexState:
    """An index at one moment, as a snapshot holds it.

    Attributes:
        segments: oldest first.
        family_of: name of the family of each text.
        families: all of them.
    """

    segments: tuple[SegmentState, ...]
    family_of: dict[bytes, str]
    families: tuple[FamilyState, ...]


class SimilarityIndex:
    """Distinct texts of one model version, up to a number of them.

    One owner adds and searches, never both at once. Sealing is handed to `seal_later`, which runs its
    argument whenever it likes and calls back; until then the segment is searched exactly.
    """

    def __init__(
        self,
        *,
        max_events: int,
        segment_events: int,
        window_ms: int,
        seal_later: Callable[[Segment], None],
        exact: Exact | None = None,
    ) -> None:
        """`exact`: how vectors are compared; None on this machine's processors."""
        self._exact = exact or OnProcessors()
        self._max_events = max_events
        self._segment_events = segment_events
        self._seal_later = seal_later
        self._segments: list[Segment] = [Segment(self._exact)]
        self._family_of: dict[bytes, str] = {}  # by the text; it is that of the last event that said it
        self._families = Families(window_ms=window_ms)
        self._leaving: set[bytes] = set()  # texts of dropped segments, still in their families

    def __len__(self) -> int:
        """Texts, without those that were forgotten."""
        return len(self._family_of) - len(self._leaving)

    def add(self, seen: Sequence[Seen]) -> None:
        """Adds events, all of this index's model version; an identical text adds no vector."""
        fresh: list[Row] = []
        vectors: list[NDArray[np.float32]] = []
        for event in seen:
            if event.text in self._leaving:  # and comes again
                self._leaving.remove(event.text)
                self._leave(event.text)
            held_in = self._family_of.get(event.text)
            self._family_of[event.text] = self._families.join(event, text_in=held_in)
            if held_in is None:
                fresh.append(_row(event))
                vectors.append(event.vector)
        self._append(fresh, vectors)

    def search(
        self,
        vectors: NDArray[np.float32],
        *,
        k: int,
        min_cosine: float,
        shown: int | None = None,
        linked: float = -1.0,
    ) -> list[list[Neighbour]]:
        """The nearest `k` texts of each of n vectors, nearest first, none below `min_cosine`.

        Args:
            vectors: float32 [n, 384], L2-normalised.
            k: most neighbours of each.
            min_cosine: least cosine.
            shown: as many are told at any cosine, further ones if they are `linked`; None tells all.
            linked: least cosine of further ones.
        """
        found = self._found(vectors, k)
        if found is None:
            return [[] for _ in vectors]
        near = np.count_nonzero(found[0] >= min_cosine, axis=1)
        if shown is not None:
            told = np.maximum(np.count_nonzero(found[0] >= linked, axis=1), shown)
            near = np.minimum(near, told)
        # As lists: of a few numbers each is read, and one by one an array gives them slowly.
        return [
            self._neighbours(*(column[:many].tolist() for column in columns))
            for *columns, many in zip(*found, near, strict=True)
        ]

    def forget(self, author: bytes) -> int:
        """Forgets an author, by digest: the vectors of texts that he said first, and that he said any.

        A text that others said after him is no longer known either, until somebody says it again.
        """
        gone = self._forget(lambda row: row.author == author)
        self._families.forget(author)
        return gone

    def forget_before(self, ms: int) -> int:
        """Forgets the vectors of texts that were first said earlier, in ms since the epoch; how many."""
        gone = self._forget(lambda row: row.seen_at_ms < ms)
        while len(self._segments) > 1 and self._segments[0].forgotten:
            del self._segments[0]
        return gone

    def capture(self) -> IndexState:
        """What it is now; some 0.2 s for 100,000 texts."""
        self._let_leave(len(self._leaving))
        return IndexState(
            tuple(segment.capture() for segment in self._segments),
            dict(self._family_of),
            self._families.capture(),
        )

    def restore(self, state: IndexState) -> None:
        """Becomes what `state` was; takes it over. The index must be new, and `seal` is to follow."""
        self._segments = [Segment.restored(segment, self._exact) for segment in state.segments]
        self._family_of = state.family_of
        self._families.restore(state.families, self._family_of.values())

    def seal(self) -> None:
        """Has every segment sealed that is worth it."""
        for segment in self._segments[:-1]:
            segment.closed = True
        for segment in self._segments:
            if segment.worth_sealing:
                self._seal_later(segment)

    def _found(
        self, vectors: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]] | None:
        """Cosines, nearest first, segments and row numbers [n, k or fewer]; None where there are no rows.

        Where there are fewer neighbours the cosine is -inf.
        """
        cosines, segments, numbers = [], [], []
        for place, segment in enumerate(self._segments):
            for found, rows in segment.search(vectors, k):
                cosines.append(np.where(rows >= 0, np.clip(found, -1.0, 1.0), -np.inf))
                segments.append(np.full_like(rows, place))
                numbers.append(rows)
        if not cosines:
            return None
        every = np.concatenate(cosines, axis=1)
        nearest = np.argsort(-every, axis=1, kind="stable")[:, :k]
        return (
            np.take_along_axis(every, nearest, axis=1),
            np.take_along_axis(np.concatenate(segments, axis=1), nearest, axis=1),
            np.take_along_axis(np.concatenate(numbers, axis=1), nearest, axis=1),
        )

    def _forget(self, wanted: Callable[[Row], bool]) -> int:
        gone = [row for segment in self._segments for row in segment.forget(wanted)]
        for row in gone:
            self._leave(row.text)
        return len(gone)

    def _append(self, rows: list[Row], vectors: list[NDArray[np.float32]]) -> None:
        self._let_leave(_LEAVE_WITH_ONE * len(rows))
        done = 0
        while done < len(rows):
            active = self._segments[-1]
            room = self._segment_events - len(active)
            if room <= 0:  # below 0 after a restart with smaller segments
                active.closed = True
                if active.worth_sealing:
                    self._seal_later(active)
                self._segments.append(active.successor())
                self._drop_oldest()
                continue
            active.add(rows[done : done + room], np.stack(vectors[done : done + room]))
            if active.worth_sealing:
                self._seal_later(active)
            done += room

    def _drop_oldest(self) -> None:
        while sum(len(segment) for segment in self._segments[1:]) >= self._max_events:
            self._leaving |= {row.text for row in self._segments.pop(0).rows if row is not None}

    def _let_leave(self, most: int) -> None:
        for _ in range(min(most, len(self._leaving))):
            self._leave(self._leaving.pop())

    def _leave(self, text: bytes) -> None:
        self._families.leave(self._family_of.pop(text))

    def _neighbours(self, cosines: list[float], segments: list[int], numbers: list[int]) -> list[Neighbour]:
        found = []
        for cosine, segment, number in zip(cosines, segments, numbers, strict=True):
            row = self._segments[segment].rows[number]
            if row is not None:
                family = self._families[self._family_of[row.text]]
                found.append(Neighbour(row.event_id, cosine, row.category, row.text, row.informative, family))
        return found


def _row(event: Seen) -> Row:
    return Row(
        event_id=event.event_id,
        category=event.category,
        text=event.text,
        author=event.author,
        seen_at_ms=event.seen_at_ms,
        informative=event.said.informative,
    )
