"""From intake to the verdict over real streams: who goes which way, and where there is no room."""

from __future__ import annotations

import asyncio

import redis.asyncio as aioredis

from ingest.intake import Accepted, Duplicate, RetryLater
from pipeline.hand_off import HandOff
from tests.fixtures.events import MakeEvent
from tests.fixtures.live_screener import LiveScreener
from tests.fixtures.screening import Bench
from tests.ingest.direct.direct_way import depths, direct_way, everything_gets_its_verdict, some


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


async def test_events_of_one_turn_go_together(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    async with direct_way(store, screener.address, batch_events=20) as way:
        await way.connected()
        await asyncio.gather(*(way.intake.submit(event.to_proto()) for event in some(make_event, 60)))
        await way.quiet()
        assert len(way.told) == 60
        assert len(screener.bench.model.asked) <= 3


async def test_a_request_may_ask_for_the_queue(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    async with direct_way(store, screener.address) as way:
        await way.connected()
        outcomes = await way.take(make_event(), hand_off=HandOff.STREAM)
        assert outcomes == [Accepted("event-1", HandOff.STREAM)]
        assert await depths(store) == (0, 1)


async def test_a_duplicate_takes_no_seat(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    async with direct_way(store, screener.address) as way:
        await way.connected()
        event = make_event()
        assert await way.take(event, event) == [
            Accepted("event-1", HandOff.DIRECT),
            Duplicate("event-1", "event-1"),
        ]
        await way.quiet()
        assert len(way.told) == 1


async def test_without_a_screener_events_are_accepted_into_the_queue(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    nobody = LiveScreener(Bench(store))
    async with direct_way(store, nobody.address) as way:
        outcomes = await way.take(*some(make_event, 3))
        assert outcomes == [Accepted(f"e{i}", HandOff.STREAM) for i in range(3)]
        assert way.spilled("no_screener") == 3
        await nobody.start()
        await way.connected()
        assert await way.take(make_event()) == [Accepted("event-1", HandOff.DIRECT)]
        await way.quiet()
        await nobody.kill()
    await everything_gets_its_verdict(nobody.bench, 4)


async def test_a_full_screener_refuses_nothing_until_the_queue_is_full_as_well(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    screener.bench.model.waits_s = 0.5
    async with direct_way(store, screener.address, stream_in_flight=2, max_depth=3) as way:
        await way.connected()
        outcomes = await way.take(*some(make_event, 6))
        assert [getattr(outcome, "hand_off", None) for outcome in outcomes] == [
            HandOff.DIRECT,
            HandOff.DIRECT,
            HandOff.STREAM,
            HandOff.STREAM,
            HandOff.STREAM,
            None,
        ]
        assert isinstance(outcomes[-1], RetryLater)
        assert way.spilled("no_room") == 3
        await way.quiet()
        # Two seats are free again.
        assert await way.take(make_event()) == [Accepted("event-1", HandOff.DIRECT)]
        await way.quiet()


async def test_a_full_stream_of_redis_sends_events_through_the_queue(
    store: aioredis.Redis, screener: LiveScreener, make_event: MakeEvent
) -> None:
    async with direct_way(store, screener.address, max_direct=2) as way:
        await way.connected()
        outcomes = await way.take(*some(make_event, 5))
        assert [getattr(o, "hand_off", None) for o in outcomes] == [HandOff.DIRECT] * 2 + [HandOff.STREAM] * 3
        await way.quiet()
        assert len(way.told) == 2
        assert way.spilled("no_room") == 3


async def test_events_in_flight_are_bounded_in_all(
    store: aioredis.Redis, screener: LiveScreener, other: LiveScreener, make_event: MakeEvent
) -> None:
    screener.bench.model.waits_s = other.bench.model.waits_s = 0.5
    async with direct_way(store, screener.address, other.address, in_flight=4) as way:
        await way.connected(2)
        outcomes = await way.take(*some(make_event, 10))
        assert sum(o == Accepted(f"e{i}", HandOff.DIRECT) for i, o in enumerate(outcomes)) == 4
        assert way.sender.in_flight == 4
        await way.quiet()


async def test_the_least_busy_screener_is_chosen(
    store: aioredis.Redis, screener: LiveScreener, other: LiveScreener, make_event: MakeEvent
) -> None:
    screener.bench.model.waits_s = 60
    async with direct_way(store, screener.address, other.address, timeout_ms=60_000) as way:
        await way.connected(2)
        await way.take(*some(make_event, 2, tag="first"))  # one each
        await way.until(lambda: len(way.told) == 1)
        for number in range(2, 7):
            await way.take(make_event(event_id=f"e{number}", content=f"text {number}"))
            await way.until(lambda number=number: len(way.told) == number)  # type: ignore[misc]
        assert len(other.bench.model.asked) == 6
        await screener.kill()
        await way.quiet()


async def test_single_events_are_spread_over_idle_screeners(
    store: aioredis.Redis, screener: LiveScreener, other: LiveScreener, make_event: MakeEvent
) -> None:
    async with direct_way(store, screener.address, other.address) as way:
        await way.connected(2)
        for event in some(make_event, 6):
            await way.take(event)
            await way.quiet()
        assert len(screener.bench.model.asked) == len(other.bench.model.asked) == 3
