from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import grpc
import pytest
import redis.asyncio as aioredis
from seawall.ingest.v1 import ingest_pb2

from pipeline.event import Event, EventMetadata
from pipeline.keys import ONLY
from pipeline.store import connect
from tests.fixtures.events import MakeEvent
from tests.fixtures.redis_state import entries_of, event_ids_in, out_of_memory
from tests.ingest.door import (
    ACCEPTED,
    DUPLICATE,
    REJECTED,
    RETRY_LATER,
    Ingest,
    Request,
    bad_fields,
    retry_after_s,
    serving_ingest,
)
from tests.pipeline.guarded import WITH_KEY


async def queued(store: aioredis.Redis) -> list[Event]:
    return [Event.decode(fields[b"event"]) for _, fields in await entries_of(store, ONLY.raw)]


async def test_an_event_is_queued_as_it_was_sent(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    event = make_event(
        user_id="friend", metadata=EventMetadata(0.5, 0.25, 3, {"guild": "göteborg"}), content="😀 ok"
    )
    outcome = await ingest.one(event)
    assert (outcome.code, outcome.event_id, outcome.duplicate_of) == (ACCEPTED, event.event_id, "")
    assert await queued(store) == [event]


async def test_an_event_without_id_and_time_gets_both(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    outcome = await ingest.one(make_event(event_id="", created_at_ms=None))
    [event] = await queued(store)
    assert event.event_id == outcome.event_id
    assert UUID(event.event_id).version == 7
    assert event.created_at_ms is not None
    assert event.created_at_ms == UUID(event.event_id).int >> 80


async def test_a_duplicate_is_an_answer_that_names_the_first(ingest: Ingest, make_event: MakeEvent) -> None:
    await ingest.one(make_event())
    again = await ingest.one(make_event())
    assert (again.code, again.event_id, again.duplicate_of) == (DUPLICATE, "event-1", "event-1")
    other = await ingest.one(make_event(event_id="event-2"))
    assert (other.code, other.event_id, other.duplicate_of) == (DUPLICATE, "event-2", "event-1")


@pytest.mark.parametrize("change", [{"content": "a"}, {"author_id": "b"}, {"platform": 2}])
async def test_other_words_another_author_or_platform_are_no_duplicate(
    ingest: Ingest, make_event: MakeEvent, change: dict[str, object]
) -> None:
    await ingest.one(make_event())
    assert (await ingest.one(make_event(event_id="event-2", **change))).code == ACCEPTED


async def test_every_bad_field_is_named(ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent) -> None:
    event = make_event(platform=0, content="", metadata=EventMetadata(author_reputation=2.0))
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await ingest.one(event)
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert bad_fields(failed.value) == ["platform", "content", "metadata.author_reputation"]
    assert await store.dbsize() == 0


async def test_an_id_used_for_another_content_is_a_bad_field(ingest: Ingest, make_event: MakeEvent) -> None:
    await ingest.one(make_event())
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await ingest.one(make_event(content="other"))
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert bad_fields(failed.value) == ["event_id"]


async def test_a_full_queue_is_resource_exhausted_with_a_delay(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    async with serving_ingest(store, depth_limit=1) as ingest:
        await ingest.one(make_event())
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await ingest.one(make_event(event_id="event-2", content="other"))
        assert failed.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert 0.1 <= retry_after_s(failed.value) <= 30
        assert (await ingest.one(make_event())).code == DUPLICATE


async def test_outcomes_of_a_batch_are_in_its_order_and_fail_each_for_itself(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    async with serving_ingest(store, depth_limit=2) as ingest:
        outcomes = await ingest.batch(
            [
                make_event(event_id="e1"),
                make_event(event_id="e2"),
                make_event(event_id="e3", content=""),
                make_event(event_id="e1", content="other"),
                make_event(event_id="e5", content="five"),
                make_event(event_id="e6", content="six"),
            ]
        )
    assert [o.code for o in outcomes] == [ACCEPTED, DUPLICATE, REJECTED, REJECTED, ACCEPTED, RETRY_LATER]
    assert [o.event_id for o in outcomes] == ["e1", "e2", "e3", "e1", "e5", "e6"]
    assert outcomes[1].duplicate_of == "e1"
    assert [v.field for v in outcomes[2].violations] == ["content"]
    assert [v.field for v in outcomes[3].violations] == ["event_id"]
    assert 0.1 <= outcomes[5].retry_after.ToMilliseconds() / 1000 <= 30
    assert await event_ids_in(store, ONLY.raw) == ["e1", "e5"]


@pytest.mark.parametrize("size", [0, 501])
async def test_a_batch_of_a_wrong_size_is_refused_as_a_whole(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent, size: int
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await ingest.batch(make_event(event_id=f"e{i}", content=f"text {i}") for i in range(size))
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert bad_fields(failed.value) == ["events"]
    assert await store.dbsize() == 0


async def test_the_largest_legal_batch_passes(store: aioredis.Redis, make_event: MakeEvent) -> None:
    wide = "😀"
    largest = make_event(
        channel_id="漢" * 128,
        user_id="漢" * 128,
        author_id="漢" * 128,
        metadata=EventMetadata(0.5, 0.5, 1, {f"{i:02}{wide * 62}": wide * 512 for i in range(32)}),
    )
    events = [replace(largest, event_id=f"{i:0>128}", content=f"{i:04}{wide * 9_996}") for i in range(500)]
    async with serving_ingest(store) as ingest:
        outcomes = await ingest.batch(events)
    assert [o.code for o in outcomes] == [ACCEPTED] * 500
    assert await store.xlen(ONLY.raw) == 500
    await store.flushall()


async def test_redis_without_memory_is_unavailable_with_a_delay(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    async with out_of_memory(store):
        for call in (ingest.one(make_event()), ingest.batch([make_event()])):
            with pytest.raises(grpc.aio.AioRpcError) as failed:
                await call
            assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
            assert retry_after_s(failed.value) > 0
    assert (await ingest.one(make_event())).code == ACCEPTED


async def test_a_dead_redis_is_unavailable_with_a_delay(make_event: MakeEvent) -> None:
    nowhere = connect("redis://127.0.0.1:1/0", timeout_ms=200)
    async with serving_ingest(nowhere) as ingest:
        for call in (ingest.one(make_event()), ingest.batch([make_event()]), ingest.status("event-1")):
            with pytest.raises(grpc.aio.AioRpcError) as failed:
                await call
            assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
            assert retry_after_s(failed.value) > 0
        assert ingest.metric("events_refused_total", reason="redis") == 2
    await nowhere.aclose()


async def test_more_calls_at_once_than_connections_to_redis_are_all_answered(
    ingest: Ingest, make_event: MakeEvent
) -> None:
    calls = [ingest.batch([make_event(event_id=f"e{i}", content=f"text {i}")]) for i in range(200)]
    outcomes = await asyncio.gather(*calls)
    assert [o.code for [o] in outcomes] == [ACCEPTED] * 200


async def test_the_way_that_an_event_went_is_told(ingest: Ingest, make_event: MakeEvent) -> None:
    assert (await ingest.one(make_event())).hand_off == ingest_pb2.HAND_OFF_STREAM
    [outcome] = await ingest.batch([make_event(event_id="event-2", content="other")])
    assert outcome.hand_off == ingest_pb2.HAND_OFF_STREAM


@pytest.mark.parametrize("hand_off", [ingest_pb2.HAND_OFF_DIRECT, 99])
async def test_a_way_that_the_operator_does_not_allow_is_a_bad_field(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent, hand_off: ingest_pb2.HandOff.ValueType
) -> None:
    event = make_event().to_proto()
    for waits in (True, False):
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await ingest.stub.Ingest(
                ingest_pb2.IngestRequest(event=event, hand_off=hand_off, wait_for_verdict=waits),
                metadata=WITH_KEY,
                timeout=20,
            )
        assert bad_fields(failed.value) == ["hand_off"]
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await ingest.stub.IngestBatch(
            ingest_pb2.IngestBatchRequest(events=[event], hand_off=hand_off), metadata=WITH_KEY, timeout=20
        )
    assert bad_fields(failed.value) == ["hand_off"]
    requests = (Request(event=event, hand_off=hand_off, wait_for_verdict=waits) for waits in (True, False))
    answers = [a async for a in ingest.stub.IngestStream(requests, metadata=WITH_KEY, timeout=20)]
    assert [[v.field for v in a.outcome.violations] for a in answers] == [["hand_off"], ["hand_off"]]
    assert await store.dbsize() == 0


async def test_too_late_is_deadline_exceeded(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await store.client_pause(300)
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await ingest.one(make_event(), timeout_s=0.1)
    assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
