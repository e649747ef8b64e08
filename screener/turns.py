"""`Turns`: batches work side by side, what is tried alone works alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager


class Turns:
    """Who asks first goes first.

    A try by itself is counted against its entry, for it may be what kills the process. Were anything else
    under way meanwhile, it could be that which kills it, and the count be an innocent's. Direct calls and
    hand-offs do not wait for it all the same: their callers have deadlines.
    """

    def __init__(self, side_by_side: int) -> None:
        """Takes how many batches there are at a time."""
        self._side_by_side = side_by_side
        self._places = asyncio.Semaphore(side_by_side)
        self._asking = asyncio.Lock()

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """For a batch: not while something is tried alone."""
        async with self._places:
            yield

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """For a try by itself: when no batch is under way."""
        async with AsyncExitStack() as taken:
            async with self._asking:  # two who each held some of the places would wait for ever
                for _ in range(self._side_by_side):
                    await taken.enter_async_context(self._places)
            yield
