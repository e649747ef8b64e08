"""`ScreeningService` behind the guard on a real Redis, and a client that watches verdicts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2
from prometheus_client import CollectorRegistry
from seawall.screening.v1 import screening_pb2, screening_pb2_grpc

from pipeline.auth import ApiKeys
from pipeline.guard import Guard
from pipeline.keys import ONLY
from pipeline.quota import Quotas
from pipeline.server import channel_options
from pipeline.status import details_of
from pipeline.store import connect
from pipeline.verdict import Verdict
from pipeline.verdict_tail import VerdictTail
from screener.encoder import Encoder
from screener.hand_off_stream import HandOffDoor
from screener.metrics import ScreenerMetrics
from screener.service import ScreeningService
from screener.similar import SimilarTexts
from screener.similarity.campaign import CampaignPolicy
from screener.similarity.comparison import LocalComparison
from screener.similarity.index import SimilarityIndex
from screener.similarity.versions import VersionedIndexes
from screener.watch import Watches
from scripts.system.ports import HOST
from tests.fixtures.model import ModelInMemory
from tests.fixtures.screening import HEURISTICS, Bench, a_core
from tests.fixtures.verdicts import RISKY, a_verdict
from tests.pipeline.guarded import KEY, WITH_KEY

Request = screening_pb2.WatchVerdictsRequest
Told = screening_pb2.WatchVerdictsResponse


@dataclass(frozen=True)
class Screener:
    """A client with the key, and what is behind it."""

    address: str
    stub: screening_pb2_grpc.ScreeningServiceAsyncStub
    server: grpc.aio.Server
    watches: Watches
    registry: CollectorRegistry

    def watch(self, *, timeout_s: float = 30, **fields: Any) -> Watch:
        """Begins to watch; the fields are the request's."""
        return Watch(self.stub.WatchVerdicts(Request(**fields), metadata=WITH_KEY, timeout=timeout_s))

    async def until_watched_by(self, n: int) -> None:
        """Returns once there are exactly `n` watchers."""
        async with asyncio.timeout(60):
            while self.registry.get_sample_value("watchers") != n:
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Drains, as SIGTERM has it."""
        self.watches.stop()
        await self.until_watched_by(0)
        await self.server.stop(1)


@dataclass(frozen=True)
class Watch:
    """A call of WatchVerdicts."""

    call: grpc.aio.UnaryStreamCall[Request, Told]

    async def next(self) -> Told:
        """The next message, or the error that the watch ends with."""
        return await anext(aiter(self.call))

    async def told(self, n: int) -> list[Told]:
        """The next `n` messages with a verdict."""
        found: list[Told] = []
        while len(found) < n:
            message = await self.next()
            if message.HasField("verdict"):
                found.append(message)
        return found

    async def to_its_end(self) -> tuple[list[Told], grpc.aio.AioRpcError]:
        """All that is still told, and the status."""
        messages: list[Told] = []
        try:
            while True:
                messages.append(await self.next())
        except grpc.aio.AioRpcError as error:
            return messages, error


def ids(messages: Sequence[Told]) -> list[str]:
    """The events of messages with a verdict."""
    return [message.verdict.event_id for message in messages if message.HasField("verdict")]


def info_of(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    """What the status says of the position."""
    status = details_of(error)
    info = error_details_pb2.ErrorInfo()
    assert status is not None
    assert status.details[-1].Unpack(info)
    return info


@asynccontextmanager
async def serving_screener(
    redis_url: str,
    *,
    max_watchers: int = 4,
    stall_s: float = 10.0,
    fresh_s: float = 10.0,
    patience_s: float = 10.0,
    port: int = 0,
) -> AsyncIterator[Screener]:
    """A screener whose watches have these bounds; nothing works on its queue."""
    registry = CollectorRegistry()
    metrics = ScreenerMetrics(registry)
    client = connect(redis_url, timeout_ms=2_000, max_connections=max_watchers)
    watches = Watches(
        VerdictTail(client, ONLY),
        metrics,
        max_watchers=max_watchers,
        stall_s=stall_s,
        block_ms=200,
        fresh_s=fresh_s,
        patience_s=patience_s,
    )
    model = ModelInMemory()
    indexes = VersionedIndexes(
        lambda: SimilarityIndex(
            max_events=100, segment_events=100, window_ms=60_000, seal_later=lambda _: None
        )
    )
    encoder = Encoder(model, None, metrics)
    service = ScreeningService(
        a_core(model),
        SimilarTexts(
            encoder,
            LocalComparison(indexes, CampaignPolicy()),
            heuristics=lambda: HEURISTICS,
            model_timeout_s=5,
        ),
        HandOffDoor(Bench(client).hand_offs()),
        watches,
        Quotas(),
        batch_size=10,
        batches_in_flight=1,
        max_waiting=10,
        stream_in_flight=10,
        model_timeout_s=5,
    )
    server = grpc.aio.server(
        interceptors=(Guard(ApiKeys([KEY]), metrics.observe_rpc),),
        options=[*channel_options(), ("grpc.so_reuseport", 0)],
    )
    screening_pb2_grpc.add_ScreeningServiceServicer_to_server(service, server)
    address = f"{HOST}:{server.add_insecure_port(f'{HOST}:{port}')}"
    await server.start()
    async with grpc.aio.insecure_channel(address, options=channel_options()) as channel:
        stub = screening_pb2_grpc.ScreeningServiceStub(channel)
        screener = Screener(address, stub, server, watches, registry)
        try:
            yield screener
        finally:
            await screener.stop()
    await client.aclose()


async def begun(watch: Watch) -> str:
    """Returns once it watches, with the position that it begins at."""
    message = await watch.next()
    assert not message.HasField("verdict")
    return message.position


def some(n: int, *, first: int = 0) -> list[Verdict]:
    """Verdicts of both routes."""
    return [a_verdict(f"e{i}", **(RISKY if i % 3 == 0 else {})) for i in range(first, first + n)]
