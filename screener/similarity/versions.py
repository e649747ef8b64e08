"""The indexes of the model versions in use, shared by everything in the process."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from screener.similarity.index import IndexState, Neighbour, SimilarityIndex
from screener.similarity.seen import Seen
from screener.similarity.threads import searching_thread

_T = TypeVar("_T")

_MAX_VERSIONS = 2
"""As many as Triton keeps loaded: during a swap both are fed, and a step back finds its index again."""


class VersionedIndexes:
    """One index for each model version; vectors of two versions never meet.

    The version that has gone without news for longest goes when a third comes.
    """

    def __init__(self, make: Callable[[], SimilarityIndex]) -> None:
        self._make = make
        self._indexes: OrderedDict[int, SimilarityIndex] = OrderedDict()
        self._lock = asyncio.Lock()  # an index is not searched while it grows
        self._thread = searching_thread()

    def __len__(self) -> int:
        return sum(len(index) for index in self._indexes.values())

    async def add(self, seen: Sequence[Seen]) -> None:
        """Adds events to the indexes of their versions."""
        async with self._lock:
            for version, events in groupby(seen, key=lambda event: event.model_version):
                if version not in self._indexes:
                    self._indexes[version] = self._make()
                self._indexes.move_to_end(version)
                self._indexes[version].add(list(events))
            while len(self._indexes) > _MAX_VERSIONS:
                self._indexes.popitem(last=False)

    async def forget(self, author: bytes) -> int:
        """Forgets an author, by digest, in all of them; how many texts are gone with him."""
        async with self._lock:
            # In the thread: every text and every family is looked at.
            return await self._in_thread(
                lambda: sum(index.forget(author) for index in self._indexes.values())
            )

    async def forget_before(self, ms: int) -> int:
        """Forgets what is older, in all of them (`SimilarityIndex.forget_before`); how many texts."""
        async with self._lock:
            return await self._in_thread(
                lambda: sum(index.forget_before(ms) for index in self._indexes.values())
            )

    async def capture(self) -> Sequence[tuple[int, IndexState]]:
        """The indexes as they are now, by their versions, the one that has waited longest for news first.

        In a thread; searches wait meanwhile, but the event loop does not.
        """
        async with self._lock:
            return await self._in_thread(
                lambda: [(version, index.capture()) for version, index in self._indexes.items()]
            )

    async def restore(self, states: Sequence[tuple[int, IndexState]]) -> None:
        """Becomes what `capture` saw, in place of what there is; takes it over."""
        indexes = OrderedDict((version, self._make()) for version, _ in states)
        async with self._lock:
            for version, state in states:
                await self._in_thread(partial(indexes[version].restore, state))
            self._indexes = indexes
        for index in indexes.values():
            index.seal()

    async def search(
        self,
        vectors: NDArray[np.float32],
        *,
        version: int,
        k: int,
        min_cosine: float,
        shown: int | None = None,
        linked: float = -1.0,
    ) -> list[list[Neighbour]]:
        """`SimilarityIndex.search` among the texts of `version`.

        In the thread: a batch takes milliseconds, and the event loop has calls to answer.
        """
        async with self._lock:
            index = self._indexes.get(version)
            if index is None or not len(index):
                return [[] for _ in range(len(vectors))]
            return await self._in_thread(
                partial(index.search, vectors, k=k, min_cosine=min_cosine, shown=shown, linked=linked)
            )

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
