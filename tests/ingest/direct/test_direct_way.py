"""From intake to the verdict over real streams, and what becomes of events where the way is broken."""

from __future__ import annotations

import asyncio

import redis.asyncio as aioredis

from ingest.intake import Accepted, Duplicate, RetryLater
from pipeline.errors import ModelUnavailable
from pipeline.event import Event
from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from tests.fixtures.events import MakeEvent
from tests.fixtures.live_screener import OTHER_KEY, LiveScreener
from tests.fixtures.redis_state import event_ids_in
from tests.fixtures.screening import Bench
from tests.ingest.direct.direct_way import DirectWay, direct_way


def some(make_event: MakeEvent, n: int, *, tag: str = "e") -> list[Event]:
    return [make_event(event_id=f"{tag}{i}", content=f"text {tag} {i}") for i in range(n)]


async def depths(store: aioredis.Redis) -> tuple[int, int]:
    """Entries of the direct way and of the queue."""
    return await store.xlen(ONLY.direct), await store.xlen(ONLY.raw)


async def everything_gets_its_verdict(bench: Bench, n: int) -> None:
    """What was spilled is in the queue, where a worker finds it."""
    async with bench.running():
        verdicts = await bench.verdicts(n)
    assert len({verdict.event_id for verdict in verdicts}) == len(verdicts) == n
    assert await depths(bench.store) == (0, 0)


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
