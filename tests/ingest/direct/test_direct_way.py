"""From intake to the verdict over real streams, and what becomes of an event where something on the way fails."""

from __future__ import annotations

import asyncio

import redis.asyncio as aioredis

from ingest.intake import Accepted, Duplicate, RetryLater
from pipeline.event import Event
from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from tests.fixtures.events import MakeEvent
from tests.fixtures.live_screener import OTHER_KEY, LiveScreener
from tests.fixtures.redis_state import event_ids_in
from tests.ingest.direct.direct_way import direct_way


def some(make_event: MakeEvent, n: int, *, tag: str = "e") -> list[Event]:
    return [make_event(event_id=f"{tag}{i}", content=f"text {tag} {i}") for i in range(n)]


async def depths(store: aioredis.Redis) -> tuple[int, int]:
    """Entries of the direct way and of the queue."""
    return await store.xlen(ONLY.direct), await store.xlen(ONLY.raw)


async def test_events_get_their_verdicts_and_who_waits_is_told(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    async with direct_way(store, screener.address) as way:
        await way.connected()
        outcomes = await way.take(*some(make_event, 300))
        assert outcomes == [Accepted(f"e{i}", HandOff.DIRECT) for i in range(300)]
        await way.quiet()
        assert sorted(v.event_id for v in way.told) == sorted(f"e{i}" for i in range(300))
        assert {v.event_id for v in await screener.bench.verdicts(300)} == {v.event_id for v in way.told}
        assert await depths(store) == (0, 0)
        assert way.metric("events_accepted_total", hand_off="direct") == 300
        assert way.metric("hand_off_latency_seconds_count") == 300


async def test_a_lone_event_goes_at_once_and_many_go_together(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    async with direct_way(store, screener.address, batch_events=20) as way:
        await way.connected()
        await way.take(*some(make_event, 1, tag="lone"))
        await way.quiet()
        await way.take(*some(make_event, 100))
        await way.quiet()
        assert len(way.told) == 101
        assert [len(texts) for texts in screener.bench.model.asked][0] == 1
