"""Direct calls that are screened together, and one of them has a text without a valid answer."""

from __future__ import annotations

import grpc
import redis.asyncio as aioredis
from seawall.screening.v1 import screening_pb2, screening_pb2_grpc

from pipeline.server import channel_options
from tests.fixtures.events import MakeEvent
from tests.fixtures.live_screener import OTHER_KEY, LiveScreener
from tests.fixtures.screening import Bench

TOLD = (("api-key", OTHER_KEY),)


async def test_it_alone_is_told_to_come_again(store: aioredis.Redis, make_event: MakeEvent) -> None:
    bench = Bench(store)
    bench.model.unanswerable = "odd"
    screener = LiveScreener(bench)
    await screener.start()
    texts = ("even", "odd", "level")
    request = screening_pb2.ScreenBatchRequest(
        events=[make_event(event_id=text, content=text).to_proto() for text in texts]
    )
    async with grpc.aio.insecure_channel(screener.address, options=channel_options()) as channel:
        stub = screening_pb2_grpc.ScreeningServiceStub(channel)
        answer = await stub.ScreenBatch(request, metadata=TOLD, timeout=60)
    await screener.kill()
    found = [result.WhichOneof("result") for result in answer.results]
    assert found == ["verdict", "retry_after", "verdict"]
