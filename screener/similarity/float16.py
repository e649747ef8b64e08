"""float16 vectors in memory that grows at its end: those that are there stay where they are."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from screener.model import EMBEDDING_WIDTH

_LEAST_CAPACITY = 2_048


class Float16Vectors:
    """Vectors as FAISS compares them; one may be read in one thread while others are appended in another."""

    def __init__(self, capacity: int) -> None:
        self.index: Any = faiss.IndexScalarQuantizer(
            EMBEDDING_WIDTH,
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
        )
        # All of it belongs to the index from the start, so that nothing ever moves.
        codes = self.index.codes
        codes.resize(capacity * self.index.code_size)
        self.index.ntotal = capacity
        stored = faiss.rev_swig_ptr(codes.data(), codes.size()) if capacity else np.empty(0, np.uint8)
        self._stored: NDArray[np.float16] = stored.view(np.float16).reshape(-1, EMBEDDING_WIDTH)

    @classmethod
    def empty(cls) -> Float16Vectors:
        """Without vectors or room."""
        return cls(0)

    def first(self, count: int) -> NDArray[np.float16]:
        """The first ones, float16 [count, 384], to be read and written to."""
        return self._stored[:count]

    def appended(self, count: int, vectors: NDArray[np.float32]) -> Float16Vectors:
        """These with others behind the first `count`, in the same memory as long as there is room."""
        held, after = self, count + len(vectors)
        if after > len(self._stored):
            held = Float16Vectors(max(after, 2 * len(self._stored), _LEAST_CAPACITY))
            held.first(count)[:] = self.first(count)
        held.first(after)[count:] = vectors
        return held
