"""Feeds the index from `events:embeddings`, so that every screener knows what all have seen."""

from __future__ import annotations

import asyncio

import redis.asyncio as aioredis
import structlog

from pipeline.errors import EntryUndecodable, StoreUnavailable
from pipeline.keys import Keys
from pipeline.store import Entry, store_errors
from screener.metrics import ScreenerMetrics
from screener.similarity.seen import Seen
from screener.similarity.segment import Segment
from screener.similarity.versions import VersionedIndexes

_READ_ENTRIES = 1_000
_BLOCK_MS = 500
_AWAY_S = 0.5
_log = structlog.get_logger(__name__)


class IndexFeed:
    """Tails the stream from its first entry; the capped stream is also what a restart is rebuilt from."""

    def __init__(
        self, client: aioredis.Redis, keys: Keys, indexes: VersionedIndexes, metrics: ScreenerMetrics
    ) -> None:
        self._client = client
        self._stream = keys.embeddings
        self._indexes = indexes
        self._metrics = metrics
        self._position: bytes = b"0-0"
        self.caught_up = asyncio.Event()

    async def run(self) -> None:
        """Follows the stream until cancelled; an outage of Redis is waited out."""
        while True:
            try:
                entries = await self._read()
            except StoreUnavailable:
                await asyncio.sleep(_AWAY_S)
                continue
            await self._add(entries)
            if len(entries) < _READ_ENTRIES and not self.caught_up.is_set():
                self.caught_up.set()
                _log.info("index_caught_up", events=len(self._indexes))

    async def _read(self) -> list[Entry]:
        block = _BLOCK_MS if self.caught_up.is_set() else None
        with store_errors():
            reply = await self._client.xread({self._stream: self._position}, _READ_ENTRIES, block)
        return reply[0][1] if reply else []  # type: ignore[index,return-value]  # lists of entries, as `connect` asks

    async def _add(self, entries: list[Entry]) -> None:
        seen = []
        for entry_id, fields in entries:
            self._position = entry_id
            try:
                seen.append(Seen.decode(fields))
            except EntryUndecodable:
                _log.warning("embedding_entry_undecodable", entry_id=entry_id.decode())
        await self._indexes.add(seen)
        self._metrics.indexed.set(len(self._indexes))


class Sealer:
    """Builds the graphs of sealed segments, one at a time, beside the event loop."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Semaphore(1)
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, segment: Segment) -> None:
        """Starts sealing; the segment is searched exactly until it is done."""
        task = asyncio.create_task(self._seal(segment))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _seal(self, segment: Segment) -> None:
        async with self._one_at_a_time:
            segment.seal(await asyncio.to_thread(segment.sealed_index))
        _log.info("segment_sealed", events=len(segment))
