"""`Lease`: entries that have lain in `events:direct` for too long go to the queue, whoever had them."""

from __future__ import annotations

import redis.asyncio as aioredis

from pipeline.keys import Keys
from pipeline.move import Mover, StreamCaps
from pipeline.spill import spill
from pipeline.store import Entry, store_errors

_BATCH = 100


class Lease:
    """Any screener may do it at any time: an entry moves once, and whoever still holds it finds it gone.

    Ages are told by Redis's own clock, which made the entries' ids; nobody renews anything.
    """

    def __init__(self, client: aioredis.Redis, keys: Keys, *, lease_ms: int) -> None:
        self._client = client
        self._keys = keys
        self._lease_ms = lease_ms
        self._mover = Mover(client, keys, source=keys.direct, group="", caps=StreamCaps())

    async def sweep(self) -> int:
        """Moves every entry older than the lease; answers with how many it moved.

        Raises:
            StoreUnavailable: Redis does not answer; what was not moved stays, for the next time.
        """
        total = 0
        while entries := await self._overdue():
            moved = await self._mover.move(
                [
                    spill(
                        self._keys,
                        entry_id=entry_id.decode(),
                        event_id=fields.get(b"event_id", b"").decode(errors="replace"),
                        platform=fields.get(b"platform", b"").decode(errors="replace"),
                        payload=fields.get(b"event", b""),
                    )
                    for entry_id, fields in entries
                ]
            )
            total += sum(new_id is not None for new_id in moved)
        return total

    async def depth(self) -> int:
        """Entries in `events:direct`."""
        with store_errors():
            return int(await self._client.xlen(self._keys.direct))

    async def _overdue(self) -> list[Entry]:
        with store_errors():
            seconds, micros = await self._client.time()
            newest_ms = seconds * 1000 + micros // 1000 - self._lease_ms
            # As the end of a range, an id without the part after its dash is the last of its millisecond.
            return await self._client.xrange(self._keys.direct, "-", newest_ms, count=_BATCH)  # type: ignore[return-value]  # bytes, as `connect` asks
