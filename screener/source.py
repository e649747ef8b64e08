"""`events:raw` as a consumer of its group sees it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple

import redis.asyncio as aioredis
from redis.exceptions import ResponseError

from pipeline.event import Event
from pipeline.keys import GROUP, Keys
from pipeline.store import Entry as RedisEntry
from pipeline.store import store_errors

_STALE_CONSUMER_MS = 3_600_000
_INNOCENT_DELIVERIES = 2  # to who died for whatever reason, and to who took over


class Entry(NamedTuple):
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


class RawEvent(NamedTuple):
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
        self._note_tries = client.register_script(files("screener").joinpath("note_tries.lua").read_text())
        self._claim_from: bytes | str = "0-0"

    @property
    def consumer(self) -> str:
        """How this process is called in the group."""
        return self._consumer

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

    async def keep(self, entry_ids: Sequence[str], *, idle_ms: int) -> None:
        """Says of entries that they are worked on, so that nobody takes them over for now.

        No delivery is counted. What has been idle for less than `idle_ms` stays whose it is: somebody else
        may have taken it meanwhile.
        """
        with store_errors():
            try:
                await self._client.xclaim(
                    self._keys.raw, GROUP, self._consumer, idle_ms, list(entry_ids), justid=True
                )
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise

    async def suspects(self, entries: Sequence[Entry]) -> set[str]:
        """Ids of those that may be what kills who has them: tried alone before, or had by three already."""
        if not entries:
            return set()
        with store_errors():
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.hmget(self._keys.attempts, [entry.entry_id for entry in entries])
                for entry in entries:
                    pipe.xpending_range(self._keys.raw, GROUP, entry.entry_id, entry.entry_id, 1)
                try:
                    tried, *handed_out = await pipe.execute()
                except ResponseError as error:
                    if "NOGROUP" not in str(error):
                        raise
                    return set()
        return {
            entry.entry_id
            for entry, tries, pending in zip(entries, tried, handed_out, strict=True)
            if tries is not None or any(p["times_delivered"] > _INNOCENT_DELIVERIES for p in pending)
        }

    async def tries(self, entry_id: str) -> int:
        """How often one entry was tried by itself; moving it forgets that."""
        with store_errors():
            noted: bytes | None = await self._client.hget(self._keys.attempts, entry_id)  # type: ignore[assignment]
        return int(noted or 0)

    async def note_tries(self, entry_id: str, tries: int) -> bool:
        """Notes that number, 0 to forget it; False where the entry is gone. Repeating it is safe."""
        with store_errors():
            return bool(
                await self._note_tries(keys=[self._keys.raw, self._keys.attempts], args=[entry_id, tries])
            )

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
