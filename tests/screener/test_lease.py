"""The lease, by Redis's own clock."""

from __future__ import annotations

import asyncio

import redis.asyncio as aioredis

from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from screener.lease import Lease
from tests.fixtures.events import MakeEvent
from tests.fixtures.redis_state import entries_of, event_ids_in
from tests.fixtures.screening import Bench


async def test_what_is_older_than_the_lease_goes_to_the_queue_in_its_order(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    events = [make_event(event_id=f"e{i}", content=f"text {i}") for i in range(250)]
    await bench.admit(*events, hand_off=HandOff.DIRECT)
    await asyncio.sleep(0.05)
    assert await Lease(store, ONLY, lease_ms=10).sweep() == 250
    entries = await entries_of(store, ONLY.raw)
    assert [fields[b"event"] for _, fields in entries] == [event.encode() for event in events]
    assert {fields[b"platform"] for _, fields in entries} == {b"discord"}
    assert await store.xlen(ONLY.direct) == 0


async def test_what_is_younger_stays(store: aioredis.Redis, make_event: MakeEvent) -> None:
    await Bench(store).admit(make_event(), hand_off=HandOff.DIRECT)
    lease = Lease(store, ONLY, lease_ms=60_000)
    assert await lease.sweep() == 0
    assert (await lease.depth(), await store.xlen(ONLY.raw)) == (1, 0)


async def test_sweepers_at_once_move_each_entry_once(store: aioredis.Redis, make_event: MakeEvent) -> None:
    events = [make_event(event_id=f"e{i}", content=f"text {i}") for i in range(300)]
    await Bench(store).admit(*events, hand_off=HandOff.DIRECT)
    await asyncio.sleep(0.05)
    moved = await asyncio.gather(*(Lease(store, ONLY, lease_ms=10).sweep() for _ in range(4)))
    assert sum(moved) == 300
    assert sorted(await event_ids_in(store, ONLY.raw)) == sorted(event.event_id for event in events)


async def test_what_somebody_else_wrote_goes_the_same_way(store: aioredis.Redis) -> None:
    await store.xadd(ONLY.direct, {"foreign": "entry", "event": b"\xff"}, id="1-0")
    assert await Lease(store, ONLY, lease_ms=10).sweep() == 1
    async with Bench(store).running(), asyncio.timeout(20):
        while not await store.xlen(ONLY.dead_letter):
            await asyncio.sleep(0.02)
    assert await store.xlen(ONLY.raw) == 0


async def test_an_empty_stream_is_no_work(store: aioredis.Redis) -> None:
    lease = Lease(store, ONLY, lease_ms=10)
    assert (await lease.sweep(), await lease.depth()) == (0, 0)
