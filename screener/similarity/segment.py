"""One segment of the index: exact while it is filled, a graph once it is sealed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from pipeline.verdict import Category
from screener.model import EMBEDDING_WIDTH

_GRAPH_NEIGHBOURS = 16
_EF_CONSTRUCTION = 80
_EF_SEARCH = 64
_MIN_GRAPH_ROWS = 1_024
"""Below this exact search is as fast as a graph."""


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
        index: the vectors, exact or as a graph. Nothing is added to it any more; in a graph, a vector that is
            forgotten later becomes zero.
    """

    rows: tuple[Row | None, ...]
    index: faiss.Index


class Segment:
    """Rows and their vectors, in the order of arrival."""

    def __init__(self) -> None:
        self.rows: list[Row | None] = []
        self._index: faiss.Index = faiss.IndexFlatIP(EMBEDDING_WIDTH)

    @classmethod
    def restored(cls, state: SegmentState) -> Segment:
        """The segment as `state` has it; `state.index` is its own from now on."""
        segment = cls()
        segment.rows = list(state.rows)
        segment._index = state.index
        return segment

    def __len__(self) -> int:
        """Vectors, the forgotten ones included."""
        return len(self.rows)

    def add(self, rows: list[Row], vectors: NDArray[np.float32]) -> None:
        """Appends rows with their vectors float32 [rows, 384]."""
        self._index.add(vectors)
        self.rows += rows

    def sealed_index(self) -> faiss.Index:
        """Builds the graph over the vectors held now; seconds of work, for a thread of its own."""
        vectors = self._index.reconstruct_n(0, self._index.ntotal)
        graph = faiss.IndexHNSWFlat(EMBEDDING_WIDTH, _GRAPH_NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction = _EF_CONSTRUCTION
        graph.hnsw.efSearch = _EF_SEARCH
        graph.add(vectors)
        return graph

    def seal(self, index: faiss.Index) -> None:
        """Searches `index` from now on."""
        for number, row in enumerate(self.rows):
            if row is None:  # maybe forgotten while the graph was built
                _vectors(index)[number] = 0.0
        self._index = index

    @property
    def sealed(self) -> bool:
        """Whether its graph is searched."""
        return isinstance(self._index, faiss.IndexHNSWFlat)

    @property
    def worth_sealing(self) -> bool:
        """Whether a graph would be faster than exact search."""
        return len(self.rows) >= _MIN_GRAPH_ROWS

    def search(self, vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Cosines and row numbers [n, k], nearest first; row -1 where there are fewer than k."""
        return self._index.search(vectors, k)

    @property
    def forgotten(self) -> bool:
        """Whether all of its rows are."""
        return not any(self.rows)

    def forget(self, wanted: Callable[[Row], bool]) -> list[Row]:
        """Overwrites the vectors of such rows, which no search finds any more; returns the rows."""
        gone = [(number, row) for number, row in enumerate(self.rows) if row is not None and wanted(row)]
        for number, _ in gone:
            self.rows[number] = None
            # A graph cannot lose a vector, and it needs the place to find its way past it.
            _vectors(self._index)[number] = 0.0
        return [row for _, row in gone]

    def capture(self) -> SegmentState:
        """What it is now. A graph is shared, for it grows no more; the vectors of the others are copied."""
        index = self._index if self.sealed else faiss.clone_index(self._index)
        return SegmentState(tuple(self.rows), index)


def _vectors(index: faiss.Index) -> NDArray[np.float32]:
    """The vectors in the memory of an index: float32 [rows, 384], to be written to."""
    stored = index.storage if isinstance(index, faiss.IndexHNSWFlat) else index
    flat: Any = faiss.downcast_index(stored)  # an IndexFlat, which its type does not say
    view: NDArray[np.float32] = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * EMBEDDING_WIDTH)
    return view.reshape(-1, EMBEDDING_WIDTH)
