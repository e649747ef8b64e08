"""Quotas of API keys at ingest: what is over is refused by the event, and nobody pays for another."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence

import grpc
import pytest
import redis.asyncio as aioredis
from google.rpc import error_details_pb2
from seawall.ingest.v1 import ingest_pb2

from pipeline.auth import ApiKeys, Caller, Key, Quota, Scope, digest_of
from pipeline.event import Event
from pipeline.keys import ONLY
from pipeline.status import details_of
from tests.fixtures.events import MakeEvent
from tests.ingest.door import ACCEPTED, RETRY_LATER, Ingest, Request, retry_after_s, serving_ingest

SLOW, FAST = "the-key-with-a-quota-0123", "the-key-without-one-0123"
HOURLY = Quota(events_per_second=1 / 3_600, burst=5)
"""So slow that no test sees the bucket fill."""


@pytest.fixture
async def ingest(store: aioredis.Redis) -> AsyncIterator[Ingest]:
    scopes = frozenset({Scope.INGEST})
    keys = ApiKeys(
        listed=[
            Key(digest_of(SLOW), Caller("slow", scopes, HOURLY)),
            Key(digest_of(FAST), Caller("fast", scopes)),
        ]
    )
    async with serving_ingest(store, keys=keys) as ingest:
        yield ingest


def told(key: str) -> tuple[tuple[str, str], ...]:
    return (("api-key", key),)


async def single(ingest: Ingest, event: Event, key: str) -> ingest_pb2.Outcome:
    request = ingest_pb2.IngestRequest(event=event.to_proto())
    return (await ingest.stub.Ingest(request, metadata=told(key), timeout=30)).outcome


async def batch(ingest: Ingest, events: Iterable[Event], key: str) -> Sequence[ingest_pb2.Outcome]:
    request = ingest_pb2.IngestBatchRequest(events=[event.to_proto() for event in events])
    return (await ingest.stub.IngestBatch(request, metadata=told(key), timeout=60)).outcomes


def some(make_event: MakeEvent, number: int, tag: str) -> list[Event]:
    return [make_event(event_id=f"{tag}-{i}", content=f"{tag} says {i}") for i in range(number)]


async def test_a_call_over_the_quota_is_refused_with_its_limit_and_its_name(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    for event in some(make_event, 5, "within"):
        assert (await single(ingest, event, SLOW)).code == ACCEPTED
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await single(ingest, make_event(event_id="over"), SLOW)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert 3_000 < retry_after_s(refused.value) <= 3_600
    status = details_of(refused.value)
    assert status is not None
    quota, info = error_details_pb2.QuotaFailure(), error_details_pb2.ErrorInfo()
    assert status.details[1].Unpack(quota)
    assert [violation.subject for violation in quota.violations] == ["key:slow"]
    assert status.details[2].Unpack(info)
    assert info.metadata["limit"] == "0.000277778 events per second, 5 at once"
    assert SLOW not in str(status)
    assert await store.xlen(ONLY.raw) == 5


async def test_the_end_of_a_batch_that_is_over_the_quota_is_told_to_come_later(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    outcomes = await batch(ingest, some(make_event, 8, "batch"), SLOW)
    assert [outcome.code for outcome in outcomes] == [ACCEPTED] * 5 + [RETRY_LATER] * 3
    assert [outcome.event_id for outcome in outcomes] == [f"batch-{i}" for i in range(8)]
    delays = [outcome.retry_after.ToSeconds() for outcome in outcomes[5:]]
    assert delays == pytest.approx([3_600, 7_200, 10_800], abs=60)
    outcomes = await batch(ingest, some(make_event, 3, "more"), SLOW)
    assert [outcome.code for outcome in outcomes] == [RETRY_LATER] * 3
    assert await store.xlen(ONLY.raw) == 5
    assert ingest.metric("api_key_events_total", key="slow", quota="within") == 5
    assert ingest.metric("api_key_events_total", key="slow", quota="over") == 6


async def test_a_stream_over_the_quota_goes_on(ingest: Ingest, make_event: MakeEvent) -> None:
    stream = ingest.stub.IngestStream(metadata=told(SLOW), timeout=60)
    codes = Counter[int]()
    for number, event in enumerate(some(make_event, 20, "stream"), start=1):
        await stream.write(Request(correlation_id=number, event=event.to_proto()))
        answer = await stream.read()
        assert isinstance(answer, ingest_pb2.IngestStreamResponse)
        codes[answer.outcome.code] += 1
    await stream.done_writing()
    assert await stream.code() is grpc.StatusCode.OK
    assert codes == {ACCEPTED: 5, RETRY_LATER: 15}


async def test_who_waits_for_verdicts_is_counted_too(ingest: Ingest, make_event: MakeEvent) -> None:
    await batch(ingest, some(make_event, 5, "first"), SLOW)
    stream = ingest.stub.IngestStream(
        iter([Request(correlation_id=1, event=make_event(event_id="x").to_proto(), wait_for_verdict=True)]),
        metadata=told(SLOW),
        timeout=60,
    )
    assert [(answer.outcome.code, answer.last) async for answer in stream] == [(RETRY_LATER, True)]


async def test_who_floods_past_his_quota_takes_nothing_from_another(
    ingest: Ingest, make_event: MakeEvent
) -> None:
    async def flood(number: int) -> Counter[int]:
        codes = Counter[int]()
        for round_ in range(5):
            events = some(make_event, 100, f"flood-{number}-{round_}")
            codes.update(outcome.code for outcome in await batch(ingest, events, SLOW))
        return codes

    floods = [asyncio.create_task(flood(number)) for number in range(8)]
    served = [await single(ingest, event, FAST) for event in some(make_event, 50, "quiet")]
    assert {outcome.code for outcome in served} == {ACCEPTED}
    total = sum((await asyncio.gather(*floods)), Counter[int]())
    assert total == {ACCEPTED: 5, RETRY_LATER: 3_995}
