"""Vectors of which every one is compared: on this machine's processors, or on a GPU."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import StartupFailed
from screener.model import EMBEDDING_WIDTH


class Exact(Protocol):
    """Makes indexes for exact search, and changes them."""

    is_fast: bool
    """Whether it needs no lists beside it, however many vectors there are."""

    def holding(self, vectors: NDArray[np.float32] | None = None) -> faiss.Index:
        """An index of these vectors [n, 384]."""
        ...

    def overwrite(self, index: faiss.Index, numbers: list[int]) -> None:
        """Makes these vectors of it zero."""
        ...


class OnProcessors:
    """float32, for BLAS multiplies no other."""

    is_fast = False

    def holding(self, vectors: NDArray[np.float32] | None = None) -> faiss.Index:
        """As `Exact` has it."""
        return _filled(faiss.IndexFlatIP(EMBEDDING_WIDTH), vectors)

    def overwrite(self, index: Any, numbers: list[int]) -> None:
        """As `Exact` has it; in place."""
        stored: NDArray[np.float32] = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * EMBEDDING_WIDTH)
        stored.reshape(-1, EMBEDDING_WIDTH)[numbers] = 0.0


class OnGpu:
    """float16, which is all that the stream carries of a vector, on the first GPU."""

    is_fast = True

    def __init__(self) -> None:
        """Takes the GPU.

        Raises:
            StartupFailed: there is none, or FAISS was built without.
        """
        self._gpu: Any = faiss  # whose types know no GPU
        if not hasattr(self._gpu, "StandardGpuResources"):
            raise StartupFailed(
                "SIMILARITY_DEVICE=cuda, and the FAISS that is installed has no GPU in it: docs/operations.md"
                " says how faiss-gpu takes its place"
            )
        if not self._gpu.get_num_gpus():
            raise StartupFailed("SIMILARITY_DEVICE=cuda, and FAISS finds no GPU: is its driver there?")
        self._resources = self._gpu.StandardGpuResources()

    def holding(self, vectors: NDArray[np.float32] | None = None) -> faiss.Index:
        """As `Exact` has it."""
        config = self._gpu.GpuIndexFlatConfig()
        config.useFloat16 = True
        return _filled(self._gpu.GpuIndexFlatIP(self._resources, EMBEDDING_WIDTH, config), vectors)

    def overwrite(self, index: faiss.Index, numbers: list[int]) -> None:
        """As `Exact` has it; all go there anew, for what a GPU holds cannot be written to."""
        if numbers:
            vectors = index.reconstruct_n(0, index.ntotal)
            vectors[numbers] = 0.0
            index.reset()
            index.add(vectors)


def exact_on(device: Literal["cpu", "cuda"]) -> Exact:
    """Exact search there and nowhere else.

    Raises:
        StartupFailed: it is `cuda`, and there is no GPU to be had.
    """
    return OnGpu() if device == "cuda" else OnProcessors()


def _filled(index: faiss.Index, vectors: NDArray[np.float32] | None) -> faiss.Index:
    if vectors is not None and len(vectors):
        index.add(vectors)
    return index
