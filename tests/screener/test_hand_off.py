"""Events handed over, on a real Redis: each is published, moved to the queue, or left where it was."""

from __future__ import annotations

import asyncio
import time

import pytest
import redis.asyncio as aioredis

from pipeline.errors import ModelOutputInvalid, ModelUnavailable
from pipeline.keys import ONLY
from pipeline.record import EventRecord, RecordState
from pipeline.store import connect
from pipeline.verdict import Verdict
from screener.hand_off import Outcome, Published, SpillReason, Unmoved
from tests.fixtures.events import MakeEvent
from tests.fixtures.model import ModelInMemory
from tests.fixtures.redis_state import entries_of, event_ids_in
from tests.fixtures.screening import Bench, a_core


async def lengths(store: aioredis.Redis) -> tuple[int, int, int]:
    """Entries of the direct way, of the queue, and verdicts."""
    verdicts = await store.xlen(ONLY.low_risk) + await store.xlen(ONLY.reasoning_queue)
    return await store.xlen(ONLY.direct), await store.xlen(ONLY.raw), verdicts


def published(outcomes: list[Outcome]) -> list[Verdict]:
    return [Verdict.decode(outcome.payload) for outcome in outcomes if isinstance(outcome, Published)]


async def test_each_event_gets_its_verdict_and_its_entry_is_gone(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store, ModelInMemory(probability=0.99))
    handed = await bench.handed(*(make_event(event_id=f"e{i}", content=f"text {i}") for i in range(150)))
    verdicts = published(await bench.hand_offs().take(handed))
    assert [verdict.event_id for verdict in verdicts] == [f"e{i}" for i in range(150)]
    assert verdicts == await bench.verdicts(150)
    assert await lengths(store) == (0, 0, 150)
    [(entry_id, fields), *_] = await entries_of(store, ONLY.reasoning_queue)
    assert fields[b"event"] == handed[0].raw.entry.payload
    record = EventRecord.decode(await store.get(ONLY.event("e0")))  # type: ignore[arg-type]
    assert (record.state, record.entry_id) == (RecordState.SCREENED, entry_id)
    assert await store.xlen(ONLY.embeddings) == 150
    labels = {"category": "SPAM", "route": "REASONING_QUEUE", "hand_off": "direct"}
    assert bench.registry.get_sample_value("events_screened_total", labels) == 150


async def test_events_of_several_messages_are_screened_together(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    hand_offs = bench.hand_offs()
    messages = [await bench.handed(make_event(event_id=f"e{i}", content=f"text {i}")) for i in range(40)]
    outcomes = await asyncio.gather(*(hand_offs.take(message) for message in messages))
    assert [v.event_id for each in outcomes for v in published(each)] == [f"e{i}" for i in range(40)]
    assert [len(texts) for texts in bench.model.asked] == [40]


async def test_a_second_holder_finds_it_gone(store: aioredis.Redis, make_event: MakeEvent) -> None:
    bench = Bench(store)
    handed = await bench.handed(make_event())
    outcomes = await asyncio.gather(bench.hand_offs().take(handed), bench.hand_offs().take(handed))
    assert sorted(len(published(each)) for each in outcomes) == [0, 1]
    assert [Unmoved.GONE] in outcomes
    assert await lengths(store) == (0, 0, 1)


async def test_an_event_handed_over_twice_at_once_is_published_once(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    [one] = await bench.handed(make_event())
    first, second = await bench.hand_offs().take([one, one])
    assert isinstance(first, Published)
    assert second is Unmoved.GONE


async def test_a_late_event_is_not_screened_but_goes_to_the_queue(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    late = await bench.handed(make_event(event_id="late", content="late"), deadline_s=time.monotonic())
    early = await bench.handed(make_event(event_id="early", content="early"))
    told, outcome = await bench.hand_offs().take([*late, *early])
    assert told is SpillReason.LATE
    assert isinstance(outcome, Published)
    assert bench.model.asked == [["early"]]
    assert await event_ids_in(store, ONLY.raw) == ["late"]
    assert bench.registry.get_sample_value("events_spilled_total", {"reason": "late"}) == 1


async def test_more_than_may_wait_goes_to_the_queue(store: aioredis.Redis, make_event: MakeEvent) -> None:
    bench = Bench(store)
    handed = await bench.handed(*(make_event(event_id=f"e{i}", content=f"text {i}") for i in range(5)))
    outcomes = await bench.hand_offs(max_waiting=3).take(handed)
    assert len(published(outcomes)) == 3
    assert outcomes[3:] == [SpillReason.OVERLOADED] * 2
    assert await event_ids_in(store, ONLY.raw) == ["e3", "e4"]


@pytest.mark.parametrize("fault", [ModelUnavailable("away"), ModelOutputInvalid("NaN")])
async def test_without_the_model_events_go_to_the_queue_at_once(
    store: aioredis.Redis, make_event: MakeEvent, fault: Exception
) -> None:
    bench = Bench(store)
    bench.model.fails_with = fault
    handed = await bench.handed(*(make_event(event_id=f"e{i}", content=f"text {i}") for i in range(3)))
    assert await bench.hand_offs().take(handed) == [SpillReason.FAILED] * 3
    assert await lengths(store) == (0, 3, 0)


async def test_rules_alone_decide_where_that_is_configured(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store, degrade=True)
    bench.model.fails_with = ModelUnavailable("away")
    [verdict] = published(await bench.hand_offs().take(await bench.handed(make_event())))
    assert verdict.degraded


async def test_a_poison_event_harms_no_neighbour_and_its_tries_are_counted_in_the_queue(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    bench.model.poison = "the poison"
    events = [make_event(event_id=f"e{i}", content=f"text {i}") for i in range(6)]
    handed = await bench.handed(*events[:3], make_event(event_id="poison", content="the poison"), *events[3:])
    outcomes = await bench.hand_offs().take(handed)
    assert [verdict.event_id for verdict in published(outcomes)] == [event.event_id for event in events]
    assert outcomes[3] is SpillReason.FAILED
    async with bench.running():
        async with asyncio.timeout(20):
            while not await store.xlen(ONLY.dead_letter):
                await asyncio.sleep(0.02)
    assert await event_ids_in(store, ONLY.dead_letter) == ["poison"]


async def test_a_spilled_event_gets_its_verdict_from_the_queue(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    bench.model.fails_with = ModelUnavailable("away")
    await bench.hand_offs().take(await bench.handed(make_event()))
    bench.model.fails_with = None
    async with bench.running():
        [verdict] = await bench.verdicts(1)
    assert verdict.event_id == "event-1"
    assert await lengths(store) == (0, 0, 1)


async def test_stopping_ends_what_is_in_hand_and_moves_what_still_comes(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    bench.model.waits_s = 0.3
    hand_offs = bench.hand_offs()
    taken = asyncio.create_task(hand_offs.take(await bench.handed(make_event())))
    await asyncio.sleep(0.1)
    hand_offs.stop()
    after = await bench.handed(make_event(event_id="after", content="after"))
    assert await hand_offs.take(after) == [SpillReason.DRAINING]
    await hand_offs.drain()
    assert len(published(await taken)) == 1
    assert await event_ids_in(store, ONLY.raw) == ["after"]


async def test_without_redis_everything_is_left_where_it_was(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    handed = await bench.handed(make_event())
    away = connect("redis://127.0.0.1:1/0", timeout_ms=200)
    hand_offs = Bench(away).hand_offs(core=a_core(bench.model))
    assert await hand_offs.take(handed) == [Unmoved.LEFT]
    hand_offs.stop()
    assert await hand_offs.take(handed) == [Unmoved.LEFT]
    await away.aclose()
    assert await lengths(store) == (1, 0, 0)


async def test_what_the_queue_has_judged_meanwhile_is_not_judged_again(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    handed = await bench.handed(make_event())
    bench.model.waits_s = 3.0
    taken = asyncio.create_task(bench.hand_offs().take(handed))
    await asyncio.sleep(0.1)
    bench.model.waits_s = 0
    # Its lease passes, and a worker is quicker.
    await bench.hand_offs(max_waiting=0).take(handed)
    async with bench.running():
        await bench.verdicts(1)
        assert await taken == [Unmoved.GONE]
    assert await lengths(store) == (0, 0, 1)
