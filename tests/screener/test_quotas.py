"""Quotas of API keys at the screener: what is only screened counts as well."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest
import redis.asyncio as aioredis
from seawall.screening.v1 import screening_pb2, screening_pb2_grpc

from pipeline.auth import ApiKeys, Caller, Key, Quota, Scope, digest_of
from pipeline.server import channel_options
from tests.fixtures.events import MakeEvent
from tests.fixtures.live_screener import LiveScreener
from tests.fixtures.screening import Bench

KEY = "the-key-with-a-quota-0123"
TOLD = (("api-key", KEY),)
HOURLY = Quota(events_per_second=1 / 3_600, burst=3)


@pytest.fixture
async def stub(store: aioredis.Redis) -> AsyncIterator[screening_pb2_grpc.ScreeningServiceAsyncStub]:
    keys = ApiKeys(listed=[Key(digest_of(KEY), Caller("slow", frozenset({Scope.SCREEN}), HOURLY))])
    screener = LiveScreener(Bench(store), keys=keys)
    await screener.start()
    async with grpc.aio.insecure_channel(screener.address, options=channel_options()) as channel:
        yield screening_pb2_grpc.ScreeningServiceStub(channel)
    await screener.kill()


async def test_the_end_of_a_batch_over_the_quota_comes_later(
    stub: screening_pb2_grpc.ScreeningServiceAsyncStub, make_event: MakeEvent
) -> None:
    request = screening_pb2.ScreenBatchRequest(events=[make_event().to_proto()] * 5)
    answer = await stub.ScreenBatch(request, metadata=TOLD, timeout=60)
    results = [result.WhichOneof("result") for result in answer.results]
    assert results == ["verdict"] * 3 + ["retry_after"] * 2
    for call in (
        stub.Screen(screening_pb2.ScreenRequest(event=make_event().to_proto()), metadata=TOLD),
        stub.FindSimilar(screening_pb2.FindSimilarRequest(content="hello"), metadata=TOLD),
    ):
        assert await call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_stream_over_the_quota_goes_on(
    stub: screening_pb2_grpc.ScreeningServiceAsyncStub, make_event: MakeEvent
) -> None:
    event = make_event().to_proto()
    stream = stub.ScreenStream(metadata=TOLD, timeout=60)
    results = []
    for number in range(5):
        await stream.write(screening_pb2.ScreenStreamRequest(correlation_id=number, event=event))
        answer = await stream.read()
        assert isinstance(answer, screening_pb2.ScreenStreamResponse)
        results.append(answer.result.WhichOneof("result"))
    await stream.done_writing()
    assert await stream.code() is grpc.StatusCode.OK
    assert results == ["verdict"] * 3 + ["retry_after"] * 2
