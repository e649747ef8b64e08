"""Trimming and forgetting, by the real scripts."""

from __future__ import annotations

import asyncio
from importlib.resources import files

import redis.asyncio as aioredis
from prometheus_client import CollectorRegistry

from pipeline.hand_off import HandOff
from pipeline.keys import GROUP, ONLY
from pipeline.tasks import end
from screener.housekeeping import Housekeeping
from screener.lease import Lease
from screener.metrics import ScreenerMetrics
from screener.retention import Lives, Retention
from screener.source import Source
from tests.fixtures.events import MakeEvent
from tests.fixtures.redis_state import entries_of, out_of_memory
from tests.fixtures.screening import Bench

TRIM = files("screener").joinpath("trim_read.lua").read_text()
REAP = files("screener").joinpath("reap_consumers.lua").read_text()


async def trim(store: aioredis.Redis, *, keep_ms: int = 0) -> list[int]:
    script = store.register_script(TRIM)
    await asyncio.sleep(0.002)  # until what there is, is older than nothing
    return await script(keys=[ONLY.reasoning_queue, ONLY.trimmed], args=[keep_ms])  # type: ignore[no-any-return]


async def fill(store: aioredis.Redis, n: int) -> list[bytes]:
    return [bytes(await store.xadd(ONLY.reasoning_queue, {"payload": i})) for i in range(n)]  # type: ignore[arg-type]


async def test_trims_nothing_without_a_group(store: aioredis.Redis) -> None:
    assert await trim(store) == [0, 0]
    await fill(store, 5)
    assert await trim(store) == [0, 0]
    assert await store.xlen(ONLY.reasoning_queue) == 5


async def test_trims_below_the_oldest_unacknowledged_of_the_slowest_group(store: aioredis.Redis) -> None:
    ids = await fill(store, 10)
    for group in ("fast", "slow"):
        await store.xgroup_create(ONLY.reasoning_queue, group, id="0")
    await store.xreadgroup("fast", "c", {ONLY.reasoning_queue: ">"}, count=10)
    await store.xack(ONLY.reasoning_queue, "fast", *ids)
    await store.xreadgroup("slow", "c", {ONLY.reasoning_queue: ">"}, count=6)
    await store.xack(ONLY.reasoning_queue, "slow", ids[0], ids[1], ids[3])  # ids[2] is still open
    assert await trim(store) == [2, 2]
    assert (await entries_of(store, ONLY.reasoning_queue))[0][0] == ids[2].decode()
    assert await store.hgetall(ONLY.trimmed) == {ONLY.reasoning_queue.encode(): ids[1]}
    assert await trim(store) == [2, 0]


async def test_what_is_young_stays_for_watchers(store: aioredis.Redis) -> None:
    now_ms = (await store.time())[0] * 1000
    old = [await store.xadd(ONLY.reasoning_queue, {"n": i}, id=f"{now_ms - 60_000}-{i}") for i in range(3)]
    young = await fill(store, 3)
    await store.xgroup_create(ONLY.reasoning_queue, "group", id="0")
    await store.xreadgroup("group", "c", {ONLY.reasoning_queue: ">"}, count=10)
    await store.xack(ONLY.reasoning_queue, "group", *old, *young)
    assert await trim(store, keep_ms=120_000) == [1, 0]
    assert await trim(store, keep_ms=30_000) == [1, 3]
    assert await store.hgetall(ONLY.trimmed) == {ONLY.reasoning_queue.encode(): old[-1]}
    assert await trim(store) == [1, 2]  # all but the last one that was given to a group


async def test_trimming_goes_on_when_redis_is_out_of_memory(store: aioredis.Redis) -> None:
    ids = await fill(store, 3)
    await store.xgroup_create(ONLY.reasoning_queue, "group", id=ids[-1])
    async with out_of_memory(store):
        assert await trim(store) == [1, 2]
    assert await store.hgetall(ONLY.trimmed) == {ONLY.reasoning_queue.encode(): ids[1]}


async def test_a_group_that_has_read_nothing_keeps_everything(store: aioredis.Redis) -> None:
    await fill(store, 5)
    await store.xgroup_create(ONLY.reasoning_queue, "new", id="0")
    assert await trim(store) == [1, 0]


async def test_forgets_a_consumer_that_holds_nothing_and_no_other(store: aioredis.Redis) -> None:
    source = Source(store, ONLY, consumer="holder")
    await source.ensure_group()
    await store.xadd(ONLY.raw, {"event": b"x"})
    assert len(await source.read(count=1, block_ms=10)) == 1
    await Source(store, ONLY, consumer="idle").read(count=1, block_ms=10)
    await store.xgroup_createconsumer(ONLY.raw, GROUP, "idle")
    gone = await store.register_script(REAP)(keys=[ONLY.raw], args=[GROUP, 0])
    assert gone == [b"idle"]
    assert [c["name"] for c in await store.xinfo_consumers(ONLY.raw, GROUP)] == [b"holder"]
    assert (await store.xpending(ONLY.raw, GROUP))["pending"] == 1


async def test_does_not_mind_a_missing_stream(store: aioredis.Redis) -> None:
    assert list(await Source(store, ONLY, consumer="c").reap_consumers()) == []


async def test_every_round_ends_leases_and_tells_the_depths(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    events = [make_event(event_id=f"e{i}", content=f"text {i}") for i in range(3)]
    await Bench(store).admit(*events, hand_off=HandOff.DIRECT)
    registry = CollectorRegistry()
    metrics = ScreenerMetrics(registry)
    lease = Lease(store, ONLY, lease_ms=100)
    source = Source(store, ONLY, consumer="c")
    running = asyncio.create_task(
        Housekeeping(
            store,
            ONLY,
            source,
            lease,
            metrics,
            retention=Retention(store, ONLY, Lives({}, 0), metrics),
            watch_keep_ms=1_000,
        ).run()
    )
    async with asyncio.timeout(20):
        while registry.get_sample_value("events_queue_depth") != 3:
            await asyncio.sleep(0.02)
    await end((running,))
    assert registry.get_sample_value("events_spilled_total", {"reason": "lease"}) == 3
    assert await store.xlen(ONLY.direct) == 0
