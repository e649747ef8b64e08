"""What is under way when a screener goes, drains, is too slow or refuses: the queue takes it."""

from __future__ import annotations

import asyncio

import redis.asyncio as aioredis

from ingest.intake import Accepted
from pipeline.errors import ModelUnavailable
from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from tests.fixtures.events import MakeEvent
from tests.fixtures.live_screener import OTHER_KEY, LiveScreener
from tests.fixtures.redis_state import event_ids_in
from tests.fixtures.screening import Bench
from tests.ingest.direct.direct_way import DirectWay, depths, direct_way, everything_gets_its_verdict, some


async def test_a_broken_stream_sends_its_events_through_the_queue(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    screener.bench.model.waits_s = 30
    async with direct_way(store, screener.address) as way:
        await way.connected()
        await way.take(*some(make_event, 250))
        await screener.kill()
        await way.quiet()
        assert way.spilled("broken") == 250
        assert await depths(store) == (0, 250)
        assert sorted(await event_ids_in(store, ONLY.raw)) == sorted(f"e{i}" for i in range(250))
    await everything_gets_its_verdict(Bench(store), 250)


async def test_the_stream_is_opened_again(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    async with direct_way(store, screener.address) as way:
        await way.connected()
        await screener.kill()
        await way.connected(0)
        await screener.start()
        await way.connected()
        assert await way.take(make_event()) == [Accepted("event-1", HandOff.DIRECT)]
        await way.quiet()
        assert [v.event_id for v in way.told] == ["event-1"]


async def test_a_draining_screener_ends_what_it_has_and_the_others_go_on(
    store: aioredis.Redis, screener: LiveScreener, other: LiveScreener, make_event: MakeEvent
) -> None:
    screener.bench.model.waits_s = other.bench.model.waits_s = 0.2
    async with direct_way(store, screener.address, other.address) as way:
        await way.connected(2)
        await way.take(*some(make_event, 40, tag="before"))
        draining = asyncio.create_task(screener.drain())
        for i in range(10):
            await way.take(*some(make_event, 4, tag=f"during{i}."))
            await asyncio.sleep(0.02)
        await draining
        await way.quiet()
        # What was on its way when the screener heard the signal went to the queue by its hand.
        moved = screener.bench.registry.get_sample_value("events_spilled_total", {"reason": "draining"}) or 0
        assert len(way.told) + moved == 80
        assert len(other.bench.model.asked) > 0
        assert way.spilled("broken") == way.spilled("draining") == 0
        await screener.start()
        await way.connected(2)
        assert await depths(store) == (0, moved)
    await everything_gets_its_verdict(Bench(store), 80)


async def test_an_idle_stream_ends_at_once_when_the_screener_drains(
    store: aioredis.Redis, screener: LiveScreener
) -> None:
    async with direct_way(store, screener.address) as way:
        await way.connected()
        async with asyncio.timeout(5):
            await screener.drain(grace_s=60)
        await way.connected(0)


async def test_what_takes_too_long_goes_through_the_queue_and_is_published_once(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    screener.bench.model.waits_s = 3.0
    async with direct_way(store, screener.address, timeout_ms=1_000) as way:
        await way.connected()
        await way.take(*some(make_event, 3))
        await way.until(lambda: way.spilled("timeout") == 3)
        await way.quiet()
        assert await depths(store) == (0, 3)
        # The stream had been silent all that time, so it is not trusted any more.
        await way.until(lambda: len(screener.bench.model.asked) == 1)
    await everything_gets_its_verdict(Bench(store), 3)


async def test_a_caller_whose_time_is_nearly_over_is_served_by_the_queue(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    async with direct_way(store, screener.address) as way:
        await way.connected()
        outcome = await way.intake.submit(make_event().to_proto(), time_left_s=0.001)
        assert outcome == Accepted("event-1", HandOff.STREAM)
        assert way.spilled("late") == 1


async def test_the_time_that_is_left_travels_along(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    screener.bench.model.waits_s = 3.0
    async with direct_way(store, screener.address) as way:
        await way.connected()
        for i in range(2):  # both places at the model are taken
            await way.take(make_event(event_id=f"e{i}", content=f"text {i}"))
            await asyncio.sleep(0.1)
        late = make_event(event_id="late", content="late").to_proto()
        outcome = await way.intake.submit(late, time_left_s=0.5)
        assert outcome == Accepted("late", HandOff.DIRECT)
        await way.quiet()
        assert await event_ids_in(store, ONLY.raw) == ["late"]
        assert screener.bench.registry.get_sample_value("events_spilled_total", {"reason": "late"}) == 1


async def test_a_screener_that_only_refuses_is_left_alone(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    screener.bench.model.fails_with = ModelUnavailable("away")
    async with direct_way(store, screener.address) as way:
        await way.connected()
        seen = set()
        for i in range(60):
            [outcome] = await way.take(make_event(event_id=f"e{i}", content=f"text {i}"))
            await way.quiet()
            seen.add(getattr(outcome, "hand_off", None))
        assert seen == {HandOff.DIRECT, HandOff.STREAM}
        assert way.spilled("breaker") > 0
        assert await depths(store) == (0, 60)
        screener.bench.model.fails_with = None

        async def goes_directly(way: DirectWay, number: int) -> bool:
            [outcome] = await way.take(make_event(event_id=f"later{number}", content=f"later {number}"))
            return getattr(outcome, "hand_off", None) is HandOff.DIRECT

        async with asyncio.timeout(20):
            number = 0
            while not await goes_directly(way, number):
                number += 1
                await asyncio.sleep(0.05)
        await way.quiet()
        assert len(way.told) == 1


async def test_a_key_that_may_not_hand_off_loses_nothing(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    async with direct_way(store, screener.address, key=OTHER_KEY) as way:
        outcomes = await way.take(*some(make_event, 3))
        assert outcomes == [Accepted(f"e{i}", HandOff.STREAM) for i in range(3)]
    await everything_gets_its_verdict(Bench(store), 3)


async def test_closing_waits_for_what_is_on_its_way(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    screener.bench.model.waits_s = 0.3
    async with direct_way(store, screener.address) as way:
        await way.connected()
        await way.take(*some(make_event, 20))
        told = way.told
    assert len(told) == 20
    assert await depths(store) == (0, 0)
