"""What was found for the last queries, so that a text that comes again is not searched again."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Found = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Cosines and row numbers [n, k], nearest first; row -1 where there are fewer than k."""

_KEY_BYTES = 16


class Answers:
    """Answers of one search over vectors that do not change, the last `capacity` of them.

    Some 250 bytes each. One thread at a time.
    """

    def __init__(self, *, capacity: int, k: int) -> None:
        """`k`: neighbours of each answer."""
        self._capacity = capacity
        self._place_of: dict[bytes, int] = {}
        self._keys: list[bytes] = []
        self._next = 0
        self._cosines = np.empty((capacity, k), np.float32)  # no page of it is there before its use
        self._numbers = np.empty((capacity, k), np.int32)

    def find(self, vectors: NDArray[np.float32], search: Callable[[NDArray[np.float32]], Found]) -> Found:
        """What `search` finds for vectors float32 [n, 384]; it is asked for those that are not remembered."""
        keys = [blake2b(vector, digest_size=_KEY_BYTES).digest() for vector in np.ascontiguousarray(vectors)]
        places = np.array([self._place_of.get(key, -1) for key in keys])
        [missing] = np.nonzero(places < 0)
        if len(missing) == len(keys):
            found = search(vectors)
            self._remember(keys, found)
            return found
        cosines, numbers = self._cosines[places], self._numbers[places].astype(np.int64)
        if len(missing):
            cosines[missing], numbers[missing] = found = search(vectors[missing])
            self._remember([keys[row] for row in missing], found)
        return cosines, numbers

    def _remember(self, keys: list[bytes], found: Found) -> None:
        for key, cosines, numbers in zip(keys, *found, strict=True):
            if key in self._place_of:
                continue  # twice among the vectors
            if len(self._keys) < self._capacity:
                self._keys.append(key)
            else:
                del self._place_of[self._keys[self._next]]
                self._keys[self._next] = key
            self._place_of[key] = self._next
            self._cosines[self._next], self._numbers[self._next] = cosines, numbers
            self._next = (self._next + 1) % self._capacity
