"""Moves out of `events:raw`, as the screener makes them."""

from __future__ import annotations

import redis.asyncio as aioredis

from pipeline.keys import GROUP, ONLY
from pipeline.move import Append, Fields, Move, Mover, StreamCaps
from pipeline.record import EventRecord, RecordState
from tests.fixtures.redis_state import entries_of
from tests.pipeline.door import candidate, door


def mover(
    store: aioredis.Redis, *, source: str = ONLY.raw, group: str = GROUP, caps: StreamCaps | None = None
) -> Mover:
    return Mover(store, ONLY, source=source, group=group, caps=caps or StreamCaps())


def publish(
    entry_id: str,
    event_id: str = "e1",
    *,
    to: str = ONLY.low_risk,
    state: RecordState = RecordState.SCREENED,
    record_life_ms: int = 60_000,
    beside: Append | None = None,
    fields: Fields | None = None,
) -> Move:
    appended = Append(to, fields or {"event_id": event_id, "payload": b"verdict"})
    return Move(entry_id, event_id, state, record_life_ms, appended, beside)


async def queued(store: aioredis.Redis, *event_ids: str) -> list[str]:
    """Admits events, has the group read them, and gives their entry ids."""
    await door(store).admit([candidate(event_id, f"text of {event_id}") for event_id in event_ids])
    await store.xgroup_create(ONLY.raw, GROUP, id="0", mkstream=True)
    await store.xreadgroup(GROUP, "consumer", {ONLY.raw: ">"}, count=1_000)
    return [entry_id for entry_id, _ in await entries_of(store, ONLY.raw)]


async def record_of(store: aioredis.Redis, event_id: str) -> EventRecord:
    value: bytes = await store.get(ONLY.event(event_id))  # type: ignore[assignment]
    return EventRecord.decode(value)


async def pending(store: aioredis.Redis) -> int:
    """Entries of `events:raw` that the group has been given and not acknowledged."""
    summary = await store.xpending(ONLY.raw, GROUP)
    return int(summary["pending"])
