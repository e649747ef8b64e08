"""`events:raw` as a consumer of its group sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import redis.asyncio as aioredis
from redis.exceptions import ResponseError

from pipeline.event import Event
from pipeline.keys import GROUP, Keys
from pipeline.store import Entry as RedisEntry
from pipeline.store import store_errors

_STALE_CONSUMER_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of `events:raw`: `payload` is `Event.encode()`, as long as nobody has tampered with it."""

    entry_id: str
    event_id: str
    payload: bytes

    @classmethod
    def from_redis(cls, entry: RedisEntry) -> Entry:
        """Takes over what redis-py gives; missing fields are empty, and the event then does not decode."""
        entry_id, fields = entry
        return cls(
            entry_id.decode(),
            fields.get(b"event_id", b"").decode(errors="replace"),
            fields.get(b"event", b""),
        )

    @property
    def admitted_at_ms(self) -> int:
        """When it was appended, by Redis's clock."""
        return int(self.entry_id.split("-")[0])


@dataclass(frozen=True, slots=True)
class RawEvent:
    """An entry whose event decodes."""

    entry: Entry
    event: Event


class Source:
    """Reads, claims, and counts tries. Every call may raise StoreUnavailable."""

    def __init__(self, client: aioredis.Redis, keys: Keys, *, consumer: str) -> None:
        self._client = client
        self._keys = keys
        self._consumer = consumer
        self._reap = client.register_script(files("screener").joinpath("reap_consumers.lua").read_text())
        self._claim_from: bytes | str = "0-0"

    async def ensure_group(self) -> None:
        """Makes the group, from the first entry on, unless it is there."""
        with store_errors():
            try:
                await self._client.xgroup_create(self._keys.raw, GROUP, id="0", mkstream=True)
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    async def read(self, *, count: int, block_ms: int) -> list[Entry]:
        """New entries, up to `count`; waits up to `block_ms` for the first."""
        with store_errors():
            try:
                reply = await self._client.xreadgroup(
                    GROUP, self._consumer, {self._keys.raw: ">"}, count=count, block=block_ms
                )
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                await self.ensure_group()  # Redis came back empty, or somebody deleted the stream
                return []
        return [Entry.from_redis(entry) for _, entries in reply for entry in entries]  # type: ignore[union-attr,str-unpack,arg-type]

    async def claim(self, *, idle_ms: int, count: int) -> list[Entry]:
        """Entries that some consumer has held for longer than `idle_ms`; from now on ours."""
        with store_errors():
            try:
                reply = await self._client.xautoclaim(
                    self._keys.raw, GROUP, self._consumer, idle_ms, self._claim_from, count=count
                )
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise
                return []
        self._claim_from, entries = reply[0], reply[1]
        # Redis 6.2 names deleted entries too: they have been moved.
        return [Entry.from_redis(entry) for entry in entries if entry and entry[1] is not None]

    async def count_try(self, entry_id: str) -> int:
        """Counts a try of one entry by itself; answers with their number. Moving it forgets the count."""
        with store_errors():
            return int(await self._client.hincrby(self._keys.attempts, entry_id, 1))

    async def uncount_try(self, entry_id: str) -> None:
        """Takes a try back that ended for lack of Triton or Redis, which is no fault of the entry."""
        with store_errors():
            await self._client.hincrby(self._keys.attempts, entry_id, -1)

    async def depth(self) -> int:
        """Entries in `events:raw`, which are exactly those without a verdict."""
        with store_errors():
            return int(await self._client.xlen(self._keys.raw))

    async def reap_consumers(self) -> Sequence[bytes]:
        """Forgets consumers that have been gone for an hour and hold nothing; answers with their names."""
        with store_errors():
            try:
                names: Sequence[bytes] = await self._reap(
                    keys=[self._keys.raw], args=[GROUP, _STALE_CONSUMER_MS]
                )
            except ResponseError as error:
                if "no such key" in str(error) or str(error).startswith("NOGROUP"):
                    return ()
                raise
        return names
