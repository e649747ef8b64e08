"""Feeds the index from `events:embeddings`, so that every screener knows what all have seen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import redis.asyncio as aioredis
import structlog
from redis.exceptions import ResponseError

from pipeline.errors import EntryUndecodable, StoreUnavailable
from pipeline.keys import Keys
from pipeline.store import Entry, store_errors
from screener.metrics import ScreenerMetrics
from screener.similarity.seen import Seen, author_to_forget, vectors_in
from screener.similarity.segment import Segment
from screener.similarity.snapshots import Snapshots, StreamSpan
from screener.similarity.threads import building_thread
from screener.similarity.versions import VersionedIndexes

_READ_AT_START, _READ_ENTRIES = 1_000, 200
"""Entries of one read: redis-py makes objects of them in one step of the event loop, some 10 us each."""
_ADDED_AT_ONCE = 50
"""Entries that are added without a break, in about a millisecond."""
_BLOCK_MS = 500
_AWAY_S = 0.5
_AGES_EVERY_MS = 60_000
_log = structlog.get_logger(__name__)


class IndexFeed:
    """Tails the stream: from where a snapshot ends, or from its first entry."""

    def __init__(
        self,
        client: aioredis.Redis,
        keys: Keys,
        indexes: VersionedIndexes,
        metrics: ScreenerMetrics,
        snapshots: Snapshots | None = None,
        *,
        keep_ms: int = 0,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Takes the stream and the indexes.

        Args:
            client: of Redis.
            keys: names the stream.
            indexes: to be fed, and restored from `snapshots` at first.
            metrics: is told how much they hold.
            snapshots: None for none.
            keep_ms: most age of a vector in the indexes; 0: no bound.
            clock_ms: the time by which events were screened, ms since the epoch.
        """
        self._client = client
        self._stream = keys.embeddings
        self._indexes = indexes
        self._metrics = metrics
        self._snapshots = snapshots
        self._keep_ms = keep_ms
        self._clock_ms = clock_ms
        self._ages_due_ms = 0
        self._position: bytes = b"0-0"
        self.caught_up = asyncio.Event()

    async def run(self) -> None:
        """Follows the stream until cancelled; an outage of Redis is waited out."""
        restored = self._snapshots is None
        while True:
            try:
                if not restored:
                    await self._restore()
                    restored = True
                entries = await self._read()
            except StoreUnavailable:
                await asyncio.sleep(_AWAY_S)
                continue
            for at in range(0, len(entries), _ADDED_AT_ONCE):
                await self._add(entries[at : at + _ADDED_AT_ONCE])
                await asyncio.sleep(0)  # searches, and all else that the event loop has to do
            self._metrics.indexed.set(len(self._indexes))
            await self._forget_the_old()
            if not self.caught_up.is_set() and len(entries) < _READ_AT_START:
                self.caught_up.set()
                _log.info("index_caught_up", events=len(self._indexes))
            if self._snapshots is not None and self.caught_up.is_set():
                await self._snapshots.take_if_due(self._position, self._indexes)

    async def _forget_the_old(self) -> None:
        now_ms = self._clock_ms()
        if not self._keep_ms or now_ms < self._ages_due_ms:
            return
        self._ages_due_ms = now_ms + _AGES_EVERY_MS
        if gone := await self._indexes.forget_before(now_ms - self._keep_ms):
            _log.info("vectors_expired", vectors=gone)

    async def _restore(self) -> None:
        if self._snapshots is not None and (span := await self._span()):
            self._position = await self._snapshots.restore(self._indexes, span) or self._position

    async def _span(self) -> StreamSpan | None:
        try:
            with store_errors():
                info = await self._client.xinfo_stream(self._stream)
        except ResponseError as error:
            if "no such key" not in str(error):
                raise
            return None
        return StreamSpan(info["first-entry"][0], info["last-generated-id"]) if info["first-entry"] else None

    async def _read(self) -> list[Entry]:
        follows = self.caught_up.is_set()
        count, block = (_READ_ENTRIES, _BLOCK_MS) if follows else (_READ_AT_START, None)
        with store_errors():
            reply = await self._client.xread({self._stream: self._position}, count, block)
        return reply[0][1] if reply else []  # type: ignore[index,return-value]  # lists of entries, as `connect` asks

    async def _add(self, entries: list[Entry]) -> None:
        seen: list[Seen] = []
        vectors = vectors_in([fields for _, fields in entries])
        for (entry_id, fields), vector in zip(entries, vectors, strict=True):
            self._position = entry_id
            if (author := author_to_forget(fields)) is not None:
                await self._indexes.add(seen)  # those before the word, and none after it
                seen = []
                _log.info("author_forgotten", vectors=await self._indexes.forget(author))
                continue
            try:
                seen.append(Seen.decode(fields, vector))
            except EntryUndecodable:
                _log.warning("embedding_entry_undecodable", entry_id=entry_id.decode())
        await self._indexes.add(seen)


class Sealer:
    """Makes the lists of segments, one at a time, beside the event loop."""

    def __init__(self) -> None:
        self._thread = building_thread()
        self._one_at_a_time = asyncio.Semaphore(1)
        self._tasks: dict[Segment, asyncio.Task[None]] = {}

    def __call__(self, segment: Segment) -> None:
        """Starts sealing, unless it goes on already; what is not in them yet is searched exactly."""
        if segment not in self._tasks:
            self._tasks[segment] = asyncio.create_task(self._seal(segment))

    async def done(self) -> None:
        """Waits until every segment that was handed in is sealed."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    async def _seal(self, segment: Segment) -> None:
        try:
            async with self._one_at_a_time:
                while segment.worth_sealing:  # more may come meanwhile
                    loop = asyncio.get_running_loop()
                    segment.seal(await loop.run_in_executor(self._thread, segment.sealing()))
        finally:
            del self._tasks[segment]
        _log.info("segment_sealed", events=len(segment))
