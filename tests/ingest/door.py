"""`IngestService` as `python -m ingest` builds it, and its client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
import redis.asyncio as aioredis
from google.rpc import error_details_pb2
from prometheus_client import CollectorRegistry
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc

from ingest.event_status import EventStatuses
from ingest.intake import Intake
from ingest.metrics import IngestMetrics
from ingest.service import IngestService
from ingest.verdicts import Verdicts
from pipeline.admission import Admission, AdmissionLimits
from pipeline.auth import ApiKeys
from pipeline.event import Event
from pipeline.keys import ONLY
from pipeline.quota import Quotas
from pipeline.status import details_of
from pipeline.verdict_tail import VerdictTail
from tests.fixtures.digests import DIGESTS
from tests.pipeline.guarded import WITH_KEY, serving

ACCEPTED = ingest_pb2.OUTCOME_CODE_ACCEPTED
DUPLICATE = ingest_pb2.OUTCOME_CODE_DUPLICATE
REJECTED = ingest_pb2.OUTCOME_CODE_REJECTED
RETRY_LATER = ingest_pb2.OUTCOME_CODE_RETRY_LATER

Request = ingest_pb2.IngestStreamRequest


@dataclass(frozen=True)
class Ingest:
    """A client with the key, and what the service counts."""

    stub: ingest_pb2_grpc.IngestServiceAsyncStub
    verdicts: Verdicts
    registry: CollectorRegistry

    async def one(self, event: Event, *, timeout_s: float = 20) -> ingest_pb2.Outcome:
        request = ingest_pb2.IngestRequest(event=event.to_proto())
        return (await self.stub.Ingest(request, metadata=WITH_KEY, timeout=timeout_s)).outcome

    async def verdict_of(
        self, event: Event, *, timeout_ms: int | None = None, deadline_s: float = 20
    ) -> ingest_pb2.IngestResponse:
        """Sends an event and waits for its verdict."""
        request = ingest_pb2.IngestRequest(event=event.to_proto(), wait_for_verdict=True)
        if timeout_ms is not None:
            request.verdict_timeout.FromMilliseconds(timeout_ms)
        return await self.stub.Ingest(request, metadata=WITH_KEY, timeout=deadline_s)

    async def batch(self, events: Iterable[Event]) -> Sequence[ingest_pb2.Outcome]:
        request = ingest_pb2.IngestBatchRequest(events=[event.to_proto() for event in events])
        return (await self.stub.IngestBatch(request, metadata=WITH_KEY, timeout=60)).outcomes

    async def stream(self, *events: Event) -> dict[int, ingest_pb2.Outcome]:
        """Sends events, numbered from 1; the outcomes by these numbers."""
        requests = (Request(correlation_id=i, event=e.to_proto()) for i, e in enumerate(events, start=1))
        answers = self.stub.IngestStream(requests, metadata=WITH_KEY, timeout=20)
        return {answer.correlation_id: answer.outcome async for answer in answers}

    async def status(self, event_id: str) -> ingest_pb2.GetEventStatusResponse:
        request = ingest_pb2.GetEventStatusRequest(event_id=event_id)
        return await self.stub.GetEventStatus(request, metadata=WITH_KEY, timeout=20)

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def serving_ingest(
    store: aioredis.Redis,
    *,
    depth_limit: int = 1_000,
    max_waiting: int = 1_000,
    stream_in_flight: int = 100,
    max_verdict_waits: int = 1_000,
    keys: ApiKeys | None = None,
) -> AsyncIterator[Ingest]:
    registry = CollectorRegistry()
    metrics = IngestMetrics(registry)
    limits = AdmissionLimits(depth_limit, 1_000, window_ms=60_000, duplicate_ms=60_000)
    intake = Intake(
        Admission(store, ONLY, limits),
        metrics,
        digests=DIGESTS,
        depth_limit=depth_limit,
        max_waiting=max_waiting,
    )
    statuses = EventStatuses(store, ONLY)
    tail = VerdictTail(store, ONLY)
    verdicts = Verdicts(tail, statuses, metrics, max_waiting=max_verdict_waits, block_ms=100)
    quotas = Quotas(metrics.keys)
    service = IngestService(intake, statuses, verdicts, quotas, stream_in_flight=stream_in_flight)
    async with serving(
        lambda server: ingest_pb2_grpc.add_IngestServiceServicer_to_server(service, server),
        observe=metrics.observe_rpc,
        keys=keys,
    ) as channel:
        yield Ingest(ingest_pb2_grpc.IngestServiceStub(channel), verdicts, registry)
    await intake.drain()
    await verdicts.close()


def bad_fields(error: grpc.aio.AioRpcError) -> list[str]:
    """The fields that a failed call names."""
    status = details_of(error)
    bad = error_details_pb2.BadRequest()
    if status is None or not status.details[0].Unpack(bad):
        return []
    return [violation.field for violation in bad.field_violations]


def retry_after_s(error: grpc.aio.AioRpcError) -> float:
    """The delay that a failed call tells; 0 where it tells none."""
    status = details_of(error)
    retry = error_details_pb2.RetryInfo()
    if status is None or not status.details[0].Unpack(retry):
        return 0.0
    return float(retry.retry_delay.ToMilliseconds()) / 1000
