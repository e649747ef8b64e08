"""What became of an event: its record in Redis, and its verdict where a stream still holds it."""

from __future__ import annotations

from dataclasses import dataclass

import redis.asyncio as aioredis

from pipeline.keys import Keys
from pipeline.record import EventRecord, RecordState
from pipeline.store import Entry, store_errors
from pipeline.verdict import Verdict

_MOST_HOPS = 8
"""From a duplicate to the first one, as in `admit.lua`. One is usual; but a first one that was forgotten, and
sent again when a later one had taken its place, is itself a duplicate."""


@dataclass(frozen=True, slots=True)
class EventStatus:
    """How far an event has come; `state` is None where nothing is known of it.

    Attributes:
        state: QUEUED, SCREENED or DEAD_LETTERED, of the event that came first.
        duplicate_of: id of that event where the one asked for was its duplicate, else empty.
        verdict: for SCREENED, as long as its stream holds it.
    """

    state: RecordState | None
    duplicate_of: str = ""
    verdict: Verdict | None = None


class EventStatuses:
    """Looks events up by their id."""

    def __init__(self, client: aioredis.Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    async def of(self, event_id: str) -> EventStatus:
        """The status of one event.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with store_errors():
            record = await self._record(event_id)
            duplicate_of = ""
            for _ in range(_MOST_HOPS):
                if record is None or record.state is not RecordState.DUPLICATE:
                    break
                duplicate_of, fingerprint = record.first_id, record.fingerprint
                record = await self._record(duplicate_of)
                if record is not None and record.fingerprint != fingerprint:
                    record = None  # the first one was dropped, and its id has come again with other content
            if record is None or record.state is RecordState.DUPLICATE:
                return EventStatus(None, duplicate_of)
            if record.state is not RecordState.SCREENED:
                return EventStatus(record.state, duplicate_of)
            # bytes, as `connect` asks
            entries: list[Entry] = await self._client.xrange(record.stream, record.entry_id, record.entry_id)  # type: ignore[assignment]
        verdict = Verdict.decode(entries[0][1][b"payload"]) if entries else None
        return EventStatus(record.state, duplicate_of, verdict)

    async def _record(self, event_id: str) -> EventRecord | None:
        value: bytes | None = await self._client.get(self._keys.event(event_id))  # type: ignore[assignment]
        return None if value is None else EventRecord.decode(value)
