"""`IngestService`: the gRPC edge. Messages become events here, and outcomes messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc

from ingest.event_status import EventStatuses
from ingest.intake import Accepted, Duplicate, Intake, Outcome, Rejected, RetryLater
from pipeline.admission import MAX_BATCH
from pipeline.errors import InvalidRequest, Overloaded, Retry
from pipeline.event import Event
from pipeline.record import RecordState
from pipeline.stream import answers
from pipeline.validation import event_id_violation
from pipeline.wire import batch_violation, violations_to_proto

_STATES = {
    None: ingest_pb2.EVENT_STATE_UNKNOWN,
    RecordState.QUEUED: ingest_pb2.EVENT_STATE_QUEUED,
    RecordState.SCREENED: ingest_pb2.EVENT_STATE_SCREENED,
    RecordState.DEAD_LETTERED: ingest_pb2.EVENT_STATE_DEAD_LETTERED,
}


class IngestService(ingest_pb2_grpc.IngestServiceServicer):
    """Serves `seawall.ingest.v1.IngestService`; errors are raised, for `pipeline.guard` to answer."""

    def __init__(self, intake: Intake, statuses: EventStatuses, *, stream_in_flight: int) -> None:
        self._intake = intake
        self._statuses = statuses
        self._stream_in_flight = stream_in_flight

    async def Ingest(  # noqa: N802  # the proto's name
        self,
        request: ingest_pb2.IngestRequest,
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> ingest_pb2.IngestResponse:
        """Accepts one event, or tells that it is known; anything else is raised."""
        outcome = await self._intake.submit(Event.from_proto(request.event))
        if isinstance(outcome, Rejected):
            raise InvalidRequest(outcome.violations)
        if isinstance(outcome, RetryLater):
            raise Overloaded(outcome.reason, retry_after_s=outcome.retry_after_s)
        return ingest_pb2.IngestResponse(outcome=outcome_to_proto(outcome))

    async def IngestBatch(  # noqa: N802
        self,
        request: ingest_pb2.IngestBatchRequest,
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> ingest_pb2.IngestBatchResponse:
        """Accepts up to 500 events; one outcome for each, in order."""
        if violation := batch_violation(len(request.events), MAX_BATCH):
            raise InvalidRequest((violation,))
        outcomes = await self._intake.take([Event.from_proto(event) for event in request.events])
        return ingest_pb2.IngestBatchResponse(outcomes=[outcome_to_proto(outcome) for outcome in outcomes])

    async def IngestStream(  # noqa: N802
        self,
        request_iterator: AsyncIterator[ingest_pb2.IngestStreamRequest],
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> AsyncIterator[ingest_pb2.IngestStreamResponse]:
        """Accepts events as they come; overload and bad items are outcomes and never end the stream."""
        async for request, result in answers(
            request_iterator,
            lambda request: self._intake.submit(Event.from_proto(request.event)),
            in_flight=self._stream_in_flight,
        ):
            outcome = result if not isinstance(result, Exception) else _failed(request.event.event_id, result)
            yield ingest_pb2.IngestStreamResponse(
                correlation_id=request.correlation_id, outcome=outcome_to_proto(outcome)
            )

    async def GetEventStatus(  # noqa: N802
        self,
        request: ingest_pb2.GetEventStatusRequest,
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> ingest_pb2.GetEventStatusResponse:
        """Tells what became of an event."""
        if violation := event_id_violation(request.event_id):
            raise InvalidRequest((violation,))
        status = await self._statuses.of(request.event_id)
        return ingest_pb2.GetEventStatusResponse(
            state=_STATES[status.state],
            duplicate_of=status.duplicate_of,
            verdict=status.verdict.to_proto() if status.verdict else None,
        )


def outcome_to_proto(outcome: Outcome) -> ingest_pb2.Outcome:
    """An outcome as a message."""
    match outcome:
        case Accepted(event_id):
            return ingest_pb2.Outcome(code=ingest_pb2.OUTCOME_CODE_ACCEPTED, event_id=event_id)
        case Duplicate(event_id, first_id):
            return ingest_pb2.Outcome(
                code=ingest_pb2.OUTCOME_CODE_DUPLICATE, event_id=event_id, duplicate_of=first_id
            )
        case Rejected(event_id, violations):
            return ingest_pb2.Outcome(
                code=ingest_pb2.OUTCOME_CODE_REJECTED,
                event_id=event_id,
                violations=violations_to_proto(violations),
            )
        case RetryLater(event_id, _, retry_after_s):
            message = ingest_pb2.Outcome(code=ingest_pb2.OUTCOME_CODE_RETRY_LATER, event_id=event_id)
            message.retry_after.FromMilliseconds(round(retry_after_s * 1000))
            return message


def _failed(event_id: str, error: Exception) -> Outcome:
    if isinstance(error, InvalidRequest):
        return Rejected(event_id, error.violations)
    if isinstance(error, Retry):
        return RetryLater(event_id, str(error), error.retry_after_s)
    raise error
