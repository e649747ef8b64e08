"""When verdicts come into their streams, as somebody sees who reads both."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import redis.asyncio as aioredis

from pipeline.keys import ONLY
from pipeline.position import Position
from pipeline.tasks import end
from pipeline.verdict_tail import VerdictTail

_BLOCK_MS = 200
_MOST = 1_000
_PATIENCE_S = 120.0


class Arrivals:
    """Every verdict since the reading began, by the event's id."""

    def __init__(self) -> None:
        self.at_s: dict[str, float] = {}
        """`time.perf_counter()` when each was read."""
        self.payloads: dict[str, bytes] = {}
        """`Verdict.encode()` of each."""
        self._seen: Counter[str] = Counter()
        self._news = asyncio.Condition()

    async def of(self, event_ids: Collection[str]) -> float:
        """Waits for the verdicts of some events; when the last of them came.

        Raises:
            RuntimeError: one has not come in two minutes, or an event has two.
        """
        async with self._news:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._news.wait_for(lambda: self.at_s.keys() >= set(event_ids))
            except TimeoutError:
                missing = sum(event_id not in self.at_s for event_id in event_ids)
                raise RuntimeError(f"{missing} of {len(event_ids)} events have no verdict") from None
        if doubled := sum(self._seen[event_id] > 1 for event_id in event_ids):
            raise RuntimeError(f"{doubled} of {len(event_ids)} events have two verdicts")
        return max(self.at_s[event_id] for event_id in event_ids)

    async def follow(self, tail: VerdictTail, position: Position) -> None:
        """Reads from there on until cancelled."""
        while True:
            found = await tail.after(position, count=_MOST, block_ms=_BLOCK_MS)
            if not found:
                continue
            now_s = time.perf_counter()
            position = found[-1].position
            for published in found:
                self._seen[published.event_id] += 1
                self.at_s[published.event_id] = now_s
                self.payloads[published.event_id] = published.payload
            async with self._news:
                self._news.notify_all()


@asynccontextmanager
async def arrivals(store: aioredis.Redis) -> AsyncIterator[Arrivals]:
    """Reads from now on, until the end of the block."""
    found = Arrivals()
    tail = VerdictTail(store, ONLY)
    following = asyncio.create_task(found.follow(tail, await tail.end()))
    try:
        yield found
    finally:
        await end([following])
