"""Threads for the index: FAISS by itself takes all processors in each thread that calls it."""

from __future__ import annotations

import ctypes
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import faiss

_GIVES_WAY = 10  # nice
_WORTH_A_PRODUCT = 16_384
"""Queries times vectors; 128,000 by default."""

_M_MMAP_THRESHOLD = -3  # malloc.h
_LARGE_BYTES = 1 << 20


def searching_thread() -> ThreadPoolExecutor:
    """For what callers wait for. Events come in batches: more threads would only fight the event loop."""
    return ThreadPoolExecutor(1, "similarity", _alone)


def building_thread() -> ThreadPoolExecutor:
    """For lists, which nobody waits for: it gives way to every other thread of the process."""
    return ThreadPoolExecutor(1, "lists", _give_way)


def _alone() -> None:
    faiss.omp_set_num_threads(1)
    # For the whole process, as FAISS has it: a third of the time for a batch of 64 and 1,500 vectors, and for
    # a batch and the centroids of lists; below, and for one query, a product takes longer than a loop.
    faiss.cvar.distance_compute_blas_threshold = _WORTH_A_PRODUCT


def _give_way() -> None:
    _alone()
    _give_large_blocks_back()
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _GIVES_WAY)


def _give_large_blocks_back() -> None:
    """Has glibc map each large block by itself, and unmap it when it is freed.

    By default it raises the size from which it does so to that of the largest block freed; from then on what
    a growing index frees stays with the process: 1 to 3 kB a vector were measured, more than the vector has.
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):  # another libc may have none
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
