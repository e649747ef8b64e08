"""One segment of the index: exact while it is filled, a graph once it is sealed."""

from __future__ import annotations

from dataclasses import dataclass, field

import faiss
import numpy as np
from numpy.typing import NDArray

from pipeline.verdict import Category
from screener.model import EMBEDDING_WIDTH
from screener.similarity.seen import Seen

MAX_AUTHORS = 64
"""Authors remembered for one text: enough to tell a campaign from a person."""

_GRAPH_NEIGHBOURS = 16
_EF_CONSTRUCTION = 80
_EF_SEARCH = 64
_MIN_GRAPH_ROWS = 1_024
"""Below this exact search is as fast as a graph."""


@dataclass(slots=True)
class Row:
    """A distinct text: its first event, and who has said it how often."""

    event_id: str
    category: Category
    text: bytes
    last_seen_ms: int
    count: int = 1
    authors: set[bytes] = field(default_factory=set)

    def repeat(self, seen: Seen) -> None:
        """Counts another event with the same text."""
        self.count += 1
        self.last_seen_ms = max(self.last_seen_ms, seen.seen_at_ms)
        if len(self.authors) < MAX_AUTHORS:
            self.authors.add(seen.author)


class Segment:
    """Rows and their vectors, in the order of arrival."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._index: faiss.Index = faiss.IndexFlatIP(EMBEDDING_WIDTH)

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, seen: list[Seen]) -> list[Row]:
        """Appends rows for texts that are new; answers with them."""
        rows = [Row(s.event_id, s.category, s.text, s.seen_at_ms, authors={s.author}) for s in seen]
        self._index.add(np.stack([s.vector for s in seen]))
        self.rows += rows
        return rows

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
        self._index = index

    @property
    def worth_sealing(self) -> bool:
        """Whether a graph would be faster than exact search."""
        return len(self.rows) >= _MIN_GRAPH_ROWS

    def search(self, vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Cosines and row numbers [n, k], nearest first; row -1 where there are fewer than k."""
        return self._index.search(vectors, k)
