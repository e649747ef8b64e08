"""One segment of the index: exact while it is filled, a graph once it is sealed."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(slots=True)
class Row:
    """A distinct text: the first event that said it, and the family of the last one that did.

    Attributes:
        event_id: the first event.
        category: its category.
        text: digest of the text.
        informative: its informative words.
        family: the name by which `Families` finds its family.
    """

    event_id: str
    category: Category
    text: bytes
    informative: int
    family: str


class Segment:
    """Rows and their vectors, in the order of arrival."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._index: faiss.Index = faiss.IndexFlatIP(EMBEDDING_WIDTH)

    def __len__(self) -> int:
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
        self._index = index

    @property
    def worth_sealing(self) -> bool:
        """Whether a graph would be faster than exact search."""
        return len(self.rows) >= _MIN_GRAPH_ROWS

    def search(self, vectors: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Cosines and row numbers [n, k], nearest first; row -1 where there are fewer than k."""
        return self._index.search(vectors, k)
