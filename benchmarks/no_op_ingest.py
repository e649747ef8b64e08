"""An ingestion service that does nothing: what gRPC, the guard and the messages take by themselves.

`python -m benchmarks.no_op_ingest`, with the settings of `ingest`. Each event is answered ACCEPTED with its
own id, behind the same interceptors, and goes nowhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import uvloop
from prometheus_client import CollectorRegistry
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc

from ingest.metrics import IngestMetrics
from ingest.settings import IngestSettings
from pipeline.guard import Guard
from pipeline.keys_in_force import KeysInForce
from pipeline.readiness import Readiness
from pipeline.server import Endpoints, serve
from pipeline.settings import load


class NoOpIngest(ingest_pb2_grpc.IngestServiceServicer):
    """Answers, and does nothing."""

    async def Ingest(  # noqa: N802  # the proto's name
        self,
        request: ingest_pb2.IngestRequest,
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> ingest_pb2.IngestResponse:
        """Accepts one event."""
        return ingest_pb2.IngestResponse(outcome=_accepted(request.event.event_id))

    async def IngestBatch(  # noqa: N802
        self,
        request: ingest_pb2.IngestBatchRequest,
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> ingest_pb2.IngestBatchResponse:
        """Accepts a batch."""
        return ingest_pb2.IngestBatchResponse(
            outcomes=[_accepted(event.event_id) for event in request.events]
        )

    async def IngestStream(  # noqa: N802
        self,
        request_iterator: AsyncIterator[ingest_pb2.IngestStreamRequest],
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> AsyncIterator[ingest_pb2.IngestStreamResponse]:
        """Accepts what comes."""
        async for request in request_iterator:
            yield ingest_pb2.IngestStreamResponse(
                correlation_id=request.correlation_id,
                outcome=_accepted(request.event.event_id),
                last=True,
            )

    async def GetEventStatus(  # noqa: N802
        self,
        request: ingest_pb2.GetEventStatusRequest,  # noqa: ARG002
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> ingest_pb2.GetEventStatusResponse:
        """Knows nothing."""
        return ingest_pb2.GetEventStatusResponse(state=ingest_pb2.EVENT_STATE_UNKNOWN)


def _accepted(event_id: str) -> ingest_pb2.Outcome:
    return ingest_pb2.Outcome(
        code=ingest_pb2.OUTCOME_CODE_ACCEPTED, event_id=event_id, hand_off=ingest_pb2.HAND_OFF_STREAM
    )


async def run(settings: IngestSettings) -> None:
    """Serves until a signal."""
    registry = CollectorRegistry()
    metrics = IngestMetrics(registry)
    keys = KeysInForce(keys=settings.keys, path=settings.api_keys_file, metrics=metrics.keys)
    service = NoOpIngest()

    async def nothing_to_drain() -> None:
        pass

    await serve(
        endpoints=Endpoints(
            host=settings.bind_host,
            grpc_port=settings.ingest_grpc_port,
            http_port=settings.ingest_http_port,
            max_concurrent_rpcs=settings.max_concurrent_rpcs,
            drain_grace_s=settings.drain_grace_ms / 1000,
        ),
        guard=Guard(keys.keys, metrics.observe_rpc),
        register=lambda server: ingest_pb2_grpc.add_IngestServiceServicer_to_server(service, server),
        services=(ingest_pb2.DESCRIPTOR.services_by_name["IngestService"].full_name,),
        readiness=Readiness({}, timeout_s=1, settings={}),
        registry=registry,
        drain=nothing_to_drain,
    )


if __name__ == "__main__":
    uvloop.run(run(load(IngestSettings)))
