from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
import redis.asyncio as aioredis
from seawall.ingest.v1 import ingest_pb2

from pipeline.keys import ONLY
from pipeline.store import connect
from tests.fixtures.events import MakeEvent
from tests.ingest.door import ACCEPTED, DUPLICATE, REJECTED, RETRY_LATER, Ingest, Request, serving_ingest
from tests.pipeline.guarded import WITH_KEY


async def test_each_answer_carries_the_number_of_its_request(ingest: Ingest, make_event: MakeEvent) -> None:
    events = [make_event(event_id=f"e{i}", content=f"text {i}") for i in range(1, 301)]
    outcomes = await ingest.stream(*events)
    assert sorted(outcomes) == list(range(1, 301))
    assert all(outcome.event_id == f"e{number}" for number, outcome in outcomes.items())
    assert {outcome.code for outcome in outcomes.values()} == {ACCEPTED}


async def test_correlation_ids_are_the_callers_own(ingest: Ingest, make_event: MakeEvent) -> None:
    numbers = [0, 2**64 - 1, 7]
    requests = (
        Request(correlation_id=n, event=make_event(event_id=f"e{n}", content=f"{n}").to_proto())
        for n in numbers
    )
    answers = [a async for a in ingest.stub.IngestStream(requests, metadata=WITH_KEY, timeout=10)]
    assert sorted(a.correlation_id for a in answers) == sorted(numbers)
    assert all(a.outcome.event_id == f"e{a.correlation_id}" for a in answers)


async def test_a_bad_item_is_an_outcome_and_the_stream_goes_on(ingest: Ingest, make_event: MakeEvent) -> None:
    outcomes = await ingest.stream(
        make_event(event_id="e1", content=""),
        make_event(event_id="e2"),
        make_event(event_id="e2"),
        make_event(event_id="e2", content="other"),
        make_event(event_id="e5", content="five"),
    )
    codes = [outcomes[i].code for i in range(1, 6)]
    assert codes == [REJECTED, ACCEPTED, DUPLICATE, REJECTED, ACCEPTED]
    assert [v.field for v in outcomes[1].violations] == ["content"]
    assert [v.field for v in outcomes[4].violations] == ["event_id"]
    assert (outcomes[1].event_id, outcomes[4].event_id) == ("e1", "e2")


async def test_an_item_without_an_event_is_a_bad_item(ingest: Ingest) -> None:
    requests = iter([Request(correlation_id=9)])
    [answer] = [a async for a in ingest.stub.IngestStream(requests, metadata=WITH_KEY, timeout=10)]
    assert (answer.correlation_id, answer.outcome.code) == (9, REJECTED)
    assert [v.field for v in answer.outcome.violations] == ["event_type", "platform", "author_id", "content"]


async def test_a_full_queue_ends_no_stream(store: aioredis.Redis, make_event: MakeEvent) -> None:
    async with serving_ingest(store, depth_limit=1) as ingest:
        stream = ingest.stub.IngestStream(metadata=WITH_KEY, timeout=20)

        async def send(event_id: str) -> int:
            event = make_event(event_id=event_id, content=f"text of {event_id}").to_proto()
            await stream.write(Request(correlation_id=1, event=event))
            answer = await stream.read()
            assert isinstance(answer, ingest_pb2.IngestStreamResponse)
            assert (answer.outcome.retry_after.ToMilliseconds() > 0) == (answer.outcome.code == RETRY_LATER)
            return answer.outcome.code

        assert [await send("e1"), await send("e2")] == [ACCEPTED, RETRY_LATER]
        await store.xtrim(ONLY.raw, maxlen=0)
        assert await send("e2") == ACCEPTED
        await stream.done_writing()
        assert await stream.code() is grpc.StatusCode.OK


async def test_a_dead_redis_ends_no_stream(make_event: MakeEvent) -> None:
    nowhere = connect("redis://127.0.0.1:1/0", timeout_ms=200)
    async with serving_ingest(nowhere) as ingest:
        outcomes = await ingest.stream(make_event(event_id="e1"), make_event(event_id="e2", content="other"))
    await nowhere.aclose()
    assert [outcomes[1].code, outcomes[2].code] == [RETRY_LATER, RETRY_LATER]
    assert outcomes[1].retry_after.ToMilliseconds() > 0


async def test_too_many_waiting_calls_are_told_to_retry(store: aioredis.Redis, make_event: MakeEvent) -> None:
    async with serving_ingest(store, max_waiting=5) as ingest:
        await store.client_pause(300)  # so that all of them wait at once
        outcomes = await ingest.stream(*(make_event(event_id=f"e{i}", content=f"{i}") for i in range(60)))
        codes = [outcome.code for outcome in outcomes.values()]
        assert len(codes) == 60
        assert set(codes) == {ACCEPTED, RETRY_LATER}
        assert await store.xlen(ONLY.raw) == codes.count(ACCEPTED)
        assert ingest.metric("events_refused_total", reason="calls") == codes.count(RETRY_LATER)


async def test_a_stream_is_read_no_further_than_what_is_in_flight(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    async with serving_ingest(store, stream_in_flight=3) as ingest:
        await store.client_pause(400)
        sent = 0

        async def requests() -> AsyncIterator[Request]:
            nonlocal sent
            for i in range(50):
                sent += 1
                yield Request(correlation_id=i, event=make_event(event_id=f"e{i}", content=f"{i}").to_proto())

        answers = ingest.stub.IngestStream(requests(), metadata=WITH_KEY, timeout=20)
        await asyncio.sleep(0.2)
        assert ingest.metric("events_received_total", platform="discord") <= 3
        assert len([answer async for answer in answers]) == sent == 50


@pytest.mark.parametrize("streams", [5])
async def test_streams_side_by_side_share_the_queue(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent, streams: int
) -> None:
    told = await asyncio.gather(
        *(
            ingest.stream(*(make_event(event_id=f"s{s}.{i}", content=f"text {i}") for i in range(40)))
            for s in range(streams)
        )
    )
    codes = [outcome.code for outcomes in told for outcome in outcomes.values()]
    assert (codes.count(ACCEPTED), codes.count(DUPLICATE)) == (40, 40 * (streams - 1))
    assert await store.xlen(ONLY.raw) == 40
