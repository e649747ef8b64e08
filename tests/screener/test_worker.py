"""The worker on a real Redis: one verdict for each event, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson
import pytest
import redis.asyncio as aioredis

from pipeline.errors import ModelOutputInvalid, ModelUnavailable
from pipeline.keys import GROUP, ONLY
from pipeline.record import EventRecord, RecordState
from screener.source import Source
from tests.fixtures.events import MakeEvent
from tests.fixtures.model import ModelInMemory
from tests.fixtures.redis_state import entries_of
from tests.fixtures.screening import Bench


async def is_done(store: aioredis.Redis) -> bool:
    return await store.xlen(ONLY.raw) == 0 and (await store.xpending(ONLY.raw, GROUP))["pending"] == 0


async def until_done(store: aioredis.Redis) -> None:
    async with asyncio.timeout(20):
        while not await is_done(store):
            await asyncio.sleep(0.02)


async def test_each_event_gets_one_verdict_and_leaves_the_queue(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    events = [make_event(event_id=f"e{i}", content=f"message number {i}") for i in range(250)]
    await bench.admit(*events)
    async with bench.running():
        verdicts = await bench.verdicts(250)
        await until_done(store)
    assert sorted(v.event_id for v in verdicts) == sorted(e.event_id for e in events)


async def test_two_workers_share_the_queue_without_doubling(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    await bench.admit(*(make_event(event_id=f"e{i}", content=f"message number {i}") for i in range(400)))
    async with bench.running(bench.worker(consumer="a"), bench.worker(consumer="b")):
        verdicts = await bench.verdicts(400)
        await until_done(store)
    assert len({v.event_id for v in verdicts}) == len(verdicts) == 400


async def test_the_record_tells_where_the_verdict_is(store: aioredis.Redis, make_event: MakeEvent) -> None:
    bench = Bench(store)
    await bench.admit(make_event())
    async with bench.running():
        await bench.verdicts(1)
    record = EventRecord.decode(await store.get(ONLY.event("event-1")))  # type: ignore[arg-type]
    assert record.state is RecordState.SCREENED
    [(entry_id, fields)] = await entries_of(store, record.stream)
    assert entry_id == record.entry_id
    assert fields[b"event_id"] == b"event-1"


async def test_risk_decides_the_route_and_the_event_travels_with_it(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store, ModelInMemory(probability=0.99))
    event = make_event()
    await bench.admit(event)
    async with bench.running():
        await bench.verdicts(1)
    [(_, fields)] = await entries_of(store, ONLY.reasoning_queue)
    assert fields[b"event"] == event.encode()
    assert float(fields[b"risk_score"]) > 0.7


@pytest.mark.parametrize("keep", [False, True])
async def test_low_risk_content_is_kept_only_when_asked(
    store: aioredis.Redis, make_event: MakeEvent, keep: bool
) -> None:
    bench = Bench(store, keep_low_risk_content=keep)
    await bench.admit(make_event())
    async with bench.running():
        await bench.verdicts(1)
    [(_, fields)] = await entries_of(store, ONLY.low_risk)
    assert (b"event" in fields) is keep


async def test_the_vector_is_published_in_the_same_step(store: aioredis.Redis, make_event: MakeEvent) -> None:
    bench = Bench(store)
    await bench.admit(make_event())
    async with bench.running():
        await bench.verdicts(1)
    [(_, fields)] = await entries_of(store, ONLY.embeddings)
    assert fields[b"event_id"] == b"event-1"
    assert b"patch notes" not in b"".join(fields.values())


async def test_a_long_text_keeps_no_short_one_waiting(store: aioredis.Redis, make_event: MakeEvent) -> None:
    bench = Bench(store)
    bench.model.answers_long = asyncio.Event()
    await bench.admit(
        make_event(event_id="long", content="patch notes " * 100),
        *(make_event(event_id=f"e{i}", content=f"message number {i}") for i in range(3)),
    )
    async with bench.running():
        verdicts = await bench.verdicts(3)
        assert {verdict.event_id for verdict in verdicts} == {"e0", "e1", "e2"}
        bench.model.answers_long.set()
        assert {verdict.event_id for verdict in await bench.verdicts(4)} > {"long"}


async def test_events_wait_while_the_model_is_away(store: aioredis.Redis, make_event: MakeEvent) -> None:
    bench = Bench(store)
    bench.model.fails_with = ModelUnavailable("away")
    await bench.admit(make_event())
    async with bench.running():
        await asyncio.sleep(0.5)
        assert await store.xlen(ONLY.low_risk) == 0
        assert await store.xlen(ONLY.dead_letter) == 0
        bench.model.fails_with = None
        [verdict] = await bench.verdicts(1)
    assert not verdict.degraded
    assert await store.hlen(ONLY.attempts) == 0  # waiting is no try


@pytest.mark.parametrize("fault", [ModelUnavailable("away"), ModelOutputInvalid("NaN")])
async def test_rules_alone_decide_where_that_is_configured(
    store: aioredis.Redis, make_event: MakeEvent, fault: Exception
) -> None:
    bench = Bench(store, degrade=True)
    bench.model.fails_with = fault
    await bench.admit(make_event())
    async with bench.running():
        [verdict] = await bench.verdicts(1)
    assert verdict.degraded
    assert verdict.model_version == 0
    assert await store.xlen(ONLY.embeddings) == 0


async def test_an_entry_that_does_not_decode_is_dead_lettered_with_its_reason(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    await store.xadd(ONLY.raw, {"event_id": "broken", "event": b"\xff\xff"})
    await bench.admit(make_event())
    async with bench.running():
        [verdict] = await bench.verdicts(1)
        await until_done(store)
    assert verdict.event_id == "event-1"
    [(_, fields)] = await entries_of(store, ONLY.dead_letter)
    assert (fields[b"event_id"], fields[b"reason"], fields[b"event"]) == (
        b"broken",
        b"undecodable",
        b"\xff\xff",
    )
    record = EventRecord.decode(await store.get(ONLY.event("broken")))  # type: ignore[arg-type]
    assert record.state is RecordState.DEAD_LETTERED


async def test_a_poison_event_is_given_up_after_its_tries_and_harms_no_neighbour(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    bench.model.poison = "the poison"
    events = [make_event(event_id=f"e{i}", content=f"message number {i}") for i in range(20)]
    await bench.admit(*events[:10], make_event(event_id="poison", content="the poison"), *events[10:])
    async with bench.running():
        verdicts = await bench.verdicts(20)
        await until_done(store)
    assert {v.event_id for v in verdicts} == {e.event_id for e in events}
    [(_, fields)] = await entries_of(store, ONLY.dead_letter)
    assert fields[b"event_id"] == b"poison"
    assert orjson.loads(fields[b"payload"])["deliveries"] == 3
    assert await store.hlen(ONLY.attempts) == 0


async def test_takes_over_from_a_dead_worker(store: aioredis.Redis, make_event: MakeEvent) -> None:
    bench = Bench(store, claim_idle_ms=50)
    await bench.admit(*(make_event(event_id=f"e{i}", content=f"message {i}") for i in range(5)))
    dead = Source(store, ONLY, consumer="dead")
    await dead.ensure_group()
    assert len(await dead.read(count=5, block_ms=10)) == 5
    async with bench.running():
        verdicts = await bench.verdicts(5)
        await until_done(store)
    assert len(verdicts) == 5


async def test_an_entry_that_killed_its_workers_is_given_up(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store, claim_idle_ms=50)
    await bench.admit(make_event())
    dead = Source(store, ONLY, consumer="dead")
    await dead.ensure_group()
    [entry] = await dead.read(count=1, block_ms=10)
    await dead.note_tries(entry.entry_id, 3)  # three workers noted a try and died of it
    async with bench.running():
        await until_done(store)
    [(_, fields)] = await entries_of(store, ONLY.dead_letter)
    assert fields[b"reason"] == b"max_deliveries"


class StoppedSource(Source):
    """Of a worker that has stopped, and so keeps nobody from taking over what it has."""

    async def keep(self, entry_ids: Sequence[str], *, idle_ms: int) -> None:
        return


async def test_a_worker_that_wakes_up_late_publishes_no_second_verdict(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store, claim_idle_ms=50)
    await bench.admit(make_event())
    sleeper = bench.worker(source=StoppedSource(store, ONLY, consumer="sleeper"))
    bench.model.waits_s = 1.0
    async with bench.running(sleeper):
        await asyncio.sleep(0.3)  # the sleeper has read the entry, and waits for its model
        quick = Bench(store, claim_idle_ms=50)
        async with quick.running(quick.worker(consumer="quick")):
            assert len(await bench.verdicts(1)) == 1
        await asyncio.sleep(1.2)
    assert len(await bench.verdicts(1)) == 1
    assert await is_done(store)


async def test_nobody_takes_over_what_a_slow_worker_still_has_in_hand(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store, claim_idle_ms=800)
    bench.model.waits_s = 2.5
    await bench.admit(*(make_event(event_id=f"e{i}", content=f"message {i}") for i in range(5)))
    async with bench.running(bench.worker(consumer="slow"), bench.worker(consumer="idle")):
        await bench.verdicts(5)
    asked = [text for texts in bench.model.asked for text in texts]
    assert sorted(asked) == [f"message {i}" for i in range(5)]
    assert bench.registry.get_sample_value("entries_claimed_total") == 0


async def test_stopping_ends_what_is_in_hand(store: aioredis.Redis, make_event: MakeEvent) -> None:
    bench = Bench(store)
    bench.model.waits_s = 0.5
    await bench.admit(make_event())
    async with bench.running():
        await asyncio.sleep(0.2)
    assert len(await bench.verdicts(1)) == 1
    assert await is_done(store)


async def test_a_text_without_a_valid_answer_is_given_up_alone(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    bench.model.unanswerable = "odd"
    await bench.admit(
        *(make_event(event_id=f"e{i}", content=f"even {i}") for i in range(10)),
        make_event(event_id="odd", content="odd"),
    )
    async with bench.running():
        verdicts = await bench.verdicts(10)
        await until_done(store)
    assert {v.event_id for v in verdicts} == {f"e{i}" for i in range(10)}
    [(_, fields)] = await entries_of(store, ONLY.dead_letter)
    assert (fields[b"event_id"], fields[b"reason"]) == (b"odd", b"max_deliveries")


async def test_where_rules_may_decide_only_the_text_without_a_valid_answer_is_degraded(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store, degrade=True)
    bench.model.unanswerable = "odd"
    await bench.admit(*(make_event(event_id=text, content=text) for text in ("even", "odd", "level")))
    async with bench.running():
        verdicts = await bench.verdicts(3)
    assert {v.event_id: v.degraded for v in verdicts} == {"even": False, "odd": True, "level": False}
