from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
import redis.asyncio as aioredis
from prometheus_client import CollectorRegistry
from seawall.ingest.v1 import ingest_pb2

from ingest.intake import Accepted, Duplicate, Intake, Rejected, RetryLater
from ingest.metrics import IngestMetrics
from pipeline.admission import Admission, AdmissionLimits
from pipeline.event import Event
from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from tests.fixtures.digests import DIGESTS
from tests.fixtures.events import MakeEvent
from tests.fixtures.redis_state import event_ids_in

NOW_MS = 1_700_000_000_000


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def intake(store: aioredis.Redis, registry: CollectorRegistry) -> Intake:
    limits = AdmissionLimits(max_depth=600, max_unread=10, window_ms=60_000, duplicate_ms=60_000)
    return Intake(
        Admission(store, ONLY, limits),
        IngestMetrics(registry),
        digests=DIGESTS,
        depth_limit=600,
        max_waiting=1_000,
        clock_ms=lambda: NOW_MS,
    )


def batch(*events: Event) -> ingest_pb2.IngestBatchRequest:
    return ingest_pb2.IngestBatchRequest(events=[event.to_proto() for event in events])


async def test_single_events_that_arrive_together_share_a_round_trip(
    intake: Intake, registry: CollectorRegistry, make_event: MakeEvent
) -> None:
    events = [make_event(event_id=f"e{i}", content=f"text {i}") for i in range(50)]
    outcomes = await asyncio.gather(*(intake.submit(event.to_proto()) for event in events))
    assert outcomes == [Accepted(event.event_id, HandOff.STREAM) for event in events]
    assert registry.get_sample_value("admission_batch_size_count") == 1


async def test_more_than_a_batch_of_single_events_is_admitted_in_several(
    intake: Intake, store: aioredis.Redis, registry: CollectorRegistry, make_event: MakeEvent
) -> None:
    events = [make_event(event_id=f"e{i}", content=f"text {i}") for i in range(600)]
    outcomes = await asyncio.gather(*(intake.submit(event.to_proto()) for event in events))
    assert outcomes == [Accepted(event.event_id, HandOff.STREAM) for event in events]
    assert registry.get_sample_value("admission_batch_size_count") == 2
    assert len(set(await event_ids_in(store, ONLY.raw))) == 600


async def test_an_invalid_event_alone_is_told_so_and_asks_redis_nothing(
    intake: Intake, registry: CollectorRegistry, make_event: MakeEvent
) -> None:
    outcome = await intake.submit(make_event(content="", platform=0).to_proto())
    assert isinstance(outcome, Rejected)
    assert [violation.field for violation in outcome.violations] == ["platform", "content"]
    assert registry.get_sample_value("admission_batch_size_count") == 0


@pytest.mark.parametrize("company", [2, 40])
async def test_an_invalid_event_costs_those_beside_it_nothing(
    intake: Intake, registry: CollectorRegistry, make_event: MakeEvent, company: int
) -> None:
    events = [make_event(event_id=f"e{i}", content=f"text {i}") for i in range(company)]
    events[1] = make_event(event_id="e1", content="")
    outcomes = await asyncio.gather(*(intake.submit(event.to_proto()) for event in events))
    assert isinstance(outcomes[1], Rejected)
    assert outcomes[1].event_id == "e1"
    good = events[:1] + events[2:]
    assert outcomes[:1] + outcomes[2:] == [Accepted(event.event_id, HandOff.STREAM) for event in good]
    assert registry.get_sample_value("events_received_total", {"platform": "discord"}) == company


async def test_each_of_a_batch_has_its_own_outcome(intake: Intake, make_event: MakeEvent) -> None:
    good, again = make_event(event_id="e1"), make_event(event_id="e2")
    bad = make_event(event_id="e3", content="")
    conflict = make_event(event_id="e1", content="other")
    accepted, duplicate, rejected, refused = await intake.take(batch(good, again, bad, conflict))
    assert accepted == Accepted("e1", HandOff.STREAM)
    assert duplicate == Duplicate("e2", first_id="e1")
    assert isinstance(rejected, Rejected)
    assert isinstance(refused, Rejected)
    assert [v.field for v in rejected.violations + refused.violations] == ["content", "event_id"]


async def test_a_batch_of_bad_events_alone_asks_redis_nothing(
    intake: Intake, registry: CollectorRegistry, make_event: MakeEvent
) -> None:
    [outcome] = await intake.take(batch(make_event(content="")))
    assert isinstance(outcome, Rejected)
    assert registry.get_sample_value("admission_batch_size_count") == 0


async def test_no_room_says_when_to_come_again(
    intake: Intake, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    async with store.pipeline(transaction=False) as pipe:
        for i in range(600):
            pipe.xadd(ONLY.raw, {"n": i})
        await pipe.execute()
    [outcome] = await intake.take(batch(make_event()))
    assert outcome == RetryLater("event-1", "the queue is full", 1.0)


async def test_ids_that_it_makes_carry_its_clock_and_differ(intake: Intake, make_event: MakeEvent) -> None:
    outcomes = await intake.take(batch(*(make_event(event_id="", content=f"text {i}") for i in range(20))))
    ids = {UUID(outcome.event_id) for outcome in outcomes}
    assert len(ids) == 20
    assert {value.int >> 80 for value in ids} == {NOW_MS}


async def test_drain_waits_for_what_was_submitted(
    intake: Intake, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    future = intake.submit(make_event().to_proto())
    await intake.drain()
    assert future.done()
    assert await store.xlen(ONLY.raw) == 1
