"""ScreenStream with admitted events, through a real channel: who may, what is answered, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
import redis.asyncio as aioredis
from seawall.screening.v1 import screening_pb2, screening_pb2_grpc

from pipeline.hand_off import WANTED
from pipeline.keys import ONLY
from pipeline.server import channel_options
from screener.hand_off import Handed
from screener.hand_off_stream import until_told
from tests.fixtures.events import MakeEvent
from tests.fixtures.live_screener import HAND_OFF_KEY, OTHER_KEY, LiveScreener
from tests.fixtures.redis_state import event_ids_in
from tests.fixtures.screening import Bench

Request = screening_pb2.ScreenStreamRequest
Response = screening_pb2.ScreenStreamResponse
INGEST = (("api-key", HAND_OFF_KEY),)
ANYBODY = (("api-key", OTHER_KEY),)


@pytest.fixture
async def screener(store: aioredis.Redis) -> AsyncIterator[LiveScreener]:
    async with LiveScreener(Bench(store)) as screener:
        yield screener


@pytest.fixture
async def stub(screener: LiveScreener) -> AsyncIterator[screening_pb2_grpc.ScreeningServiceAsyncStub]:
    async with grpc.aio.insecure_channel(screener.address, options=channel_options()) as channel:
        yield screening_pb2_grpc.ScreeningServiceStub(channel)


def admitted(*handed: Handed) -> Request:
    return Request(
        admitted=[
            screening_pb2.AdmittedEvent(entry_id=h.raw.entry.entry_id, event=h.raw.entry.payload)
            for h in handed
        ]
    )


async def answer(call: grpc.aio.StreamStreamCall[Request, Response]) -> Response:
    response = await asyncio.wait_for(call.read(), 10)
    assert isinstance(response, Response)
    return response


async def test_each_admitted_event_has_its_result(
    screener: LiveScreener,
    stub: screening_pb2_grpc.ScreeningServiceAsyncStub,
    make_event: MakeEvent,
    store: aioredis.Redis,
) -> None:
    first, second, gone = await screener.bench.handed(
        *(make_event(event_id=f"e{i}", content=f"text {i}") for i in range(3))
    )
    await store.xdel(ONLY.direct, gone.raw.entry.entry_id)
    call = stub.ScreenStream(metadata=INGEST, timeout=20)
    await call.write(admitted(first, second, gone))
    results = (await answer(call)).admitted_results
    assert [r.entry_id for r in results] == [h.raw.entry.entry_id for h in (first, second, gone)]
    assert [r.WhichOneof("result") for r in results] == ["verdict", "verdict", "gone"]
    assert [r.verdict.event_id for r in results] == ["e0", "e1", ""]
    assert {v.event_id: v.encode() for v in await screener.bench.verdicts(2)} == {
        r.verdict.event_id: r.verdict.SerializeToString() for r in results[:2]
    }
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_a_stream_says_that_it_stands_before_there_is_an_event(
    stub: screening_pb2_grpc.ScreeningServiceAsyncStub,
) -> None:
    call = stub.ScreenStream(metadata=INGEST, timeout=20)
    await asyncio.wait_for(call.initial_metadata(), 10)
    assert not call.done()
    call.cancel()


async def test_another_key_may_not_hand_off(
    screener: LiveScreener,
    stub: screening_pb2_grpc.ScreeningServiceAsyncStub,
    make_event: MakeEvent,
    store: aioredis.Redis,
) -> None:
    handed = await screener.bench.handed(make_event())
    call = stub.ScreenStream(metadata=ANYBODY, timeout=20)
    await call.write(admitted(*handed))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call.read()
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "HANDOFF_API_KEYS" in str(refused.value.details())
    assert await store.xlen(ONLY.direct) == 1


async def test_events_that_nobody_admitted_still_leave_no_trace(
    stub: screening_pb2_grpc.ScreeningServiceAsyncStub, make_event: MakeEvent, store: aioredis.Redis
) -> None:
    call = stub.ScreenStream(metadata=INGEST, timeout=20)
    await call.write(Request(correlation_id=7, event=make_event().to_proto()))
    response = await answer(call)
    assert (response.correlation_id, response.result.verdict.event_id) == (7, "event-1")
    assert await store.keys("events:*") == []
    call.cancel()


async def test_what_cannot_be_read_is_left_and_harms_no_neighbour(
    screener: LiveScreener,
    stub: screening_pb2_grpc.ScreeningServiceAsyncStub,
    make_event: MakeEvent,
) -> None:
    [good] = await screener.bench.handed(make_event())
    request = admitted(good)
    request.admitted.add(entry_id="1-0", event=b"\xff")
    request.admitted.add(entry_id="1-1", event=make_event(platform=99).encode())
    request.admitted.add(entry_id="no entry id", event=good.raw.entry.payload)
    call = stub.ScreenStream(metadata=INGEST, timeout=20)
    await call.write(request)
    results = (await answer(call)).admitted_results
    assert [r.WhichOneof("result") for r in results] == ["verdict", "left", "left", "left"]
    call.cancel()


async def test_a_late_event_is_moved_to_the_queue(
    screener: LiveScreener,
    stub: screening_pb2_grpc.ScreeningServiceAsyncStub,
    make_event: MakeEvent,
    store: aioredis.Redis,
) -> None:
    request = admitted(*await screener.bench.handed(make_event()))
    request.admitted[0].time_left.FromNanoseconds(1)
    call = stub.ScreenStream(metadata=INGEST, timeout=20)
    await call.write(request)
    [result] = (await answer(call)).admitted_results
    assert result.spilled == screening_pb2.SPILL_REASON_LATE
    assert await event_ids_in(store, ONLY.raw) == ["event-1"]
    call.cancel()


async def test_a_message_of_too_many_is_refused_and_the_stream_goes_on(
    screener: LiveScreener,
    stub: screening_pb2_grpc.ScreeningServiceAsyncStub,
    make_event: MakeEvent,
) -> None:
    handed = await screener.bench.handed(make_event())
    call = stub.ScreenStream(metadata=INGEST, timeout=20)
    await call.write(admitted(*(handed * 501)))
    assert [v.field for v in (await answer(call)).result.rejection.violations] == ["events"]
    await call.write(admitted(*handed))
    assert (await answer(call)).admitted_results[0].HasField("verdict")
    call.cancel()


async def test_a_drain_is_told_at_once_and_what_still_comes_goes_to_the_queue(
    screener: LiveScreener,
    stub: screening_pb2_grpc.ScreeningServiceAsyncStub,
    make_event: MakeEvent,
    store: aioredis.Redis,
) -> None:
    screener.bench.model.waits_s = 3.0
    before = await screener.bench.handed(make_event(event_id="before", content="before"))
    after = await screener.bench.handed(make_event(event_id="after", content="after"))
    call = stub.ScreenStream(metadata=INGEST, timeout=20)
    await call.write(admitted(*before))
    await asyncio.sleep(0.5)
    draining = asyncio.create_task(screener.drain(grace_s=60))
    assert (await answer(call)).draining
    await call.write(admitted(*after))
    await call.done_writing()  # before the last answer: with it the screener may be gone, connection and all
    [second] = (await answer(call)).admitted_results
    assert second.spilled == screening_pb2.SPILL_REASON_DRAINING
    [first] = (await answer(call)).admitted_results
    assert first.verdict.event_id == "before"
    assert await call.read() is grpc.aio.EOF
    await asyncio.wait_for(draining, 10)
    assert await event_ids_in(store, ONLY.raw) == ["after"]


async def test_a_client_that_does_not_listen_holds_the_end_up_for_a_moment_only(
    screener: LiveScreener, stub: screening_pb2_grpc.ScreeningServiceAsyncStub
) -> None:
    call = stub.ScreenStream(metadata=INGEST, timeout=60)
    await call.initial_metadata()
    await asyncio.wait_for(screener.drain(grace_s=60), 20)
    assert (await answer(call)).draining
    assert await call.read() is grpc.aio.EOF


async def numbers(queue: asyncio.Queue[int | None]) -> AsyncIterator[int]:
    while (number := await queue.get()) is not None:
        yield number


async def test_requests_pass_until_the_end_is_told() -> None:
    queue: asyncio.Queue[int | None] = asyncio.Queue()
    stopping = asyncio.Event()
    passed = until_told(numbers(queue), stopping, linger_s=0.2)
    queue.put_nowait(1)
    assert await anext(passed) == 1
    stopping.set()
    assert await anext(passed) is None
    queue.put_nowait(2)
    assert await anext(passed) == 2
    assert [number async for number in passed] == []


async def test_requests_that_end_by_themselves_end_the_rest() -> None:
    queue: asyncio.Queue[int | None] = asyncio.Queue()
    for number in (1, 2, None):
        queue.put_nowait(number)
    assert [number async for number in until_told(numbers(queue), asyncio.Event())] == [1, 2]


async def test_a_key_that_wants_to_and_may_not_is_refused_before_it_sends_an_event(
    stub: screening_pb2_grpc.ScreeningServiceAsyncStub,
) -> None:
    call = stub.ScreenStream(metadata=(*ANYBODY, WANTED), timeout=20)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call.read()
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_stream_stands_once_events_can_be_judged(
    screener: LiveScreener, stub: screening_pb2_grpc.ScreeningServiceAsyncStub
) -> None:
    screener.ready.clear()
    call = stub.ScreenStream(metadata=INGEST, timeout=20)
    standing = asyncio.create_task(call.initial_metadata())
    await asyncio.sleep(0.2)
    assert not standing.done()
    screener.ready.set()
    await asyncio.wait_for(standing, 10)
    call.cancel()
