"""Vectors in inverted lists: what a segment searches without looking at every one of them.

A query is compared with the centroid of each list, then with the vectors of the nearest lists by their codes
(4 bits for two components, scanned with SIMD), and the best of those by their float16 components. So cosines
are exact; only which vectors are found is not.
"""

from __future__ import annotations

from math import isqrt
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from screener.model import EMBEDDING_WIDTH
from screener.similarity.answers import Answers, Found
from screener.similarity.float16 import Float16Vectors

REMEMBERED_K = 16
"""A search for as many neighbours, or fewer, is answered from memory where the vector was searched before."""

_REMEMBERED = 32_768
_SUBVECTORS = EMBEDDING_WIDTH // 2
_COMPARED = 8
"""Vectors compared by their components for each neighbour asked for."""

_LEAST_OF_A_LIST = 16
_TRAINED_ON = 30
"""Vectors for each list that its centroid is made of, at most."""

_ROUNDS = 6
_ADDED_AT_ONCE = 2_048


class Lists:
    """Inverted lists over float16 vectors, which is all that the stream carries of them.

    They never change, but for vectors that are forgotten. FAISS works without the interpreter's lock.
    """

    def __init__(self, index: Any, vectors: Float16Vectors) -> None:
        """Takes over an IVF index of the first of the vectors; None where there are none yet."""
        self._index = index
        self._vectors = vectors
        self._answers = _no_answers()
        self._refined: Any = None
        if index is not None:
            index.nprobe = min(index.nlist, 5 * isqrt(index.nlist))
            vectors.index.ntotal = index.ntotal  # those behind are not there for this one
            self._refined = faiss.IndexRefine(index, vectors.index)
            self._refined.k_factor = _COMPARED

    @classmethod
    def empty(cls) -> Lists:
        """Without vectors, to be `grown`."""
        return cls(None, Float16Vectors.empty())

    def __len__(self) -> int:
        return 0 if self._index is None else int(self._index.ntotal)

    def emptied(self) -> Lists:
        """Without vectors, and with the same centroids and codes."""
        if self._index is None:
            return Lists.empty()
        index = faiss.clone_index(self._index)
        index.reset()
        return Lists(index, Float16Vectors.empty())

    def grown(self, vectors: NDArray[np.float32]) -> Lists:
        """Others with these vectors [n, 384] behind their own; some 15 us each, for a thread of its own.

        Where they have become many for their centroids, those are made anew: seconds of work.
        """
        count = len(self) + len(vectors)
        held = self._vectors.appended(len(self), vectors)
        if self._index is not None and self._index.nlist >= lists_for(count):
            index = faiss.clone_index(self._index)
            index.add(vectors)
        else:
            index = _trained(held, count)
            for at in range(0, count, _ADDED_AT_ONCE):
                index.add(held.first(count)[at : at + _ADDED_AT_ONCE].astype(np.float32))
        return Lists(index, held)

    def search(self, vectors: NDArray[np.float32], k: int) -> Found:
        """The nearest `k` of each of n vectors, nearly always."""
        if k > REMEMBERED_K:
            return self._searched(vectors, k)
        cosines, numbers = self._answers.find(vectors, lambda rows: self._searched(rows, REMEMBERED_K))
        return cosines[:, :k], numbers[:, :k]

    def vectors(self) -> NDArray[np.float32]:
        """A copy of all, float32 [n, 384]; zeros where they were forgotten."""
        return self._vectors.first(len(self)).astype(np.float32)

    def forget(self, numbers: list[int]) -> None:
        """Overwrites these vectors and their codes."""
        if numbers:
            self._vectors.first(len(self))[numbers] = 0
            _overwrite_codes(faiss.downcast_InvertedLists(self._index.invlists), numbers)
            self._answers = _no_answers()  # a search under way still has the others

    def encode(self) -> bytes:
        """Centroids, lists and codes, in FAISS's own format; nothing where there are none."""
        if self._index is None:
            return b""
        written = faiss.VectorIOWriter()
        faiss.write_index(self._index, written)
        data: bytes = faiss.vector_to_array(written.data).tobytes()
        return data

    @classmethod
    def decode(cls, data: memoryview, vectors: NDArray[np.float32]) -> Lists:
        """What `encode` wrote, whose vectors are the first of these [n, 384].

        Raises:
            RuntimeError: the bytes are no index.
            ValueError: it has more vectors.
        """
        if not data:
            return cls.empty()
        source = faiss.VectorIOReader()
        faiss.copy_array_to_vector(np.frombuffer(data, np.uint8), source.data)
        index: Any = faiss.read_index(source)
        if index.ntotal > len(vectors):
            raise ValueError("lists of more vectors than there are")
        return cls(index, Float16Vectors.empty().appended(0, vectors[: index.ntotal]))

    def _searched(self, vectors: NDArray[np.float32], k: int) -> Found:
        found: Found = self._refined.search(vectors, k)
        return found


def lists_for(vectors: int) -> int:
    """How many lists are best: a power of two, twice as many for four times the vectors."""
    wanted = min(4 * isqrt(vectors), vectors // _LEAST_OF_A_LIST)
    return 1 << max(0, wanted.bit_length() - 1)


def _trained(held: Float16Vectors, count: int) -> Any:
    lists = lists_for(count)
    index: Any = faiss.IndexIVFPQFastScan(
        faiss.IndexFlatIP(EMBEDDING_WIDTH), EMBEDDING_WIDTH, lists, _SUBVECTORS, 4, faiss.METRIC_INNER_PRODUCT
    )
    index.by_residual = True
    index.cp.niter = index.pq.cp.niter = _ROUNDS
    index.cp.min_points_per_centroid = 1
    sample = held.first(count)[:: max(1, count // (lists * _TRAINED_ON))]
    index.train(sample.astype(np.float32))
    return index


def _overwrite_codes(lists: Any, numbers: list[int]) -> None:
    gone = np.array(numbers)
    nothing = np.zeros(lists.packer.code_size, np.uint8)
    for number in range(lists.nlist):
        if size := lists.list_size(number):
            ids = faiss.rev_swig_ptr(lists.get_ids(number), size)
            blocks = -(-size // lists.n_per_block)
            codes = faiss.rev_swig_ptr(lists.get_codes(number), blocks * lists.block_size)
            for place in np.nonzero(np.isin(ids, gone))[0].tolist():
                lists.packer.pack_1(nothing, place, codes.reshape(blocks, -1))


def _no_answers() -> Answers:
    return Answers(capacity=_REMEMBERED, k=REMEMBERED_K)
