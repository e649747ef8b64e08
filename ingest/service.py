"""`IngestService`: the gRPC edge. Messages become events here, and outcomes messages."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from seawall.events.v1 import events_pb2
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc

from ingest.event_status import EventStatuses
from ingest.intake import Accepted, Duplicate, Intake, Outcome, Rejected, RetryLater
from ingest.outcome_messages import batch_response, fill, outcome_to_proto
from ingest.verdicts import Expected, Verdicts
from pipeline.admission import MAX_BATCH
from pipeline.errors import InvalidRequest, Overloaded, Retry, Violation
from pipeline.event import Event
from pipeline.quota import Quotas
from pipeline.record import RecordState
from pipeline.stream import Later, answers
from pipeline.uuid7 import RANDOM_BYTES, uuid7
from pipeline.validation import event_id_violation, violations_of
from pipeline.verdict import Verdict
from pipeline.wire import batch_violation

_DEFAULT_TIMEOUT_S, _LEAST_TIMEOUT_S, _MOST_TIMEOUT_S = 10.0, 0.001, 60.0
_ANSWER_S = 0.05
"""How long before its deadline a call is answered at the latest, verdict or not."""

_STATES = {
    None: ingest_pb2.EVENT_STATE_UNKNOWN,
    RecordState.QUEUED: ingest_pb2.EVENT_STATE_QUEUED,
    RecordState.SCREENED: ingest_pb2.EVENT_STATE_SCREENED,
    RecordState.DEAD_LETTERED: ingest_pb2.EVENT_STATE_DEAD_LETTERED,
}


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer to an item of a stream."""

    outcome: Outcome
    verdict: Verdict | None = None
    last: bool = True


class IngestService(ingest_pb2_grpc.IngestServiceServicer):
    """Serves `seawall.ingest.v1.IngestService`; errors are raised, for `pipeline.guard` to answer."""

    def __init__(
        self,
        intake: Intake,
        statuses: EventStatuses,
        verdicts: Verdicts,
        quotas: Quotas,
        *,
        stream_in_flight: int,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._intake = intake
        self._statuses = statuses
        self._verdicts = verdicts
        self._quotas = quotas
        self._stream_in_flight = stream_in_flight
        self._clock_ms = clock_ms

    async def Ingest(  # noqa: N802  # the proto's name
        self,
        request: ingest_pb2.IngestRequest,
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> ingest_pb2.IngestResponse:
        """Accepts one event, or tells that it is known; anything else is raised."""
        self._quotas.spend()
        if not request.wait_for_verdict:
            outcome = await self._intake.submit(request.event, request.hand_off)
            response = ingest_pb2.IngestResponse()
            fill(response.outcome, _taken(outcome))
            return response
        timeout_s = _timeout_s(request)
        if (left_s := context.time_remaining()) is not None:
            timeout_s = min(timeout_s, left_s - _ANSWER_S)
        outcome, expected = await self._admit_and_expect(request, timeout_s)
        try:
            outcome = _taken(outcome)
            verdict = await expected
        finally:
            expected.cancel()
        return ingest_pb2.IngestResponse(
            outcome=outcome_to_proto(outcome), verdict=verdict.to_proto() if verdict else None
        )

    async def IngestBatch(  # noqa: N802
        self,
        request: ingest_pb2.IngestBatchRequest,
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> ingest_pb2.IngestBatchResponse:
        """Accepts up to 500 events; one outcome for each, in order."""
        if violation := batch_violation(len(request.events), MAX_BATCH):
            raise InvalidRequest((violation,))
        refusals = self._quotas.spend_on(len(request.events))
        within = len(request.events) - len(refusals)
        over = [message.event_id for message in request.events[within:]]
        del request.events[within:]
        outcomes = await self._intake.take(request) if within else []
        outcomes += map(_failed, over, refusals)
        return batch_response(outcomes)

    async def IngestStream(  # noqa: N802
        self,
        request_iterator: AsyncIterator[ingest_pb2.IngestStreamRequest],
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> AsyncIterator[ingest_pb2.IngestStreamResponse]:
        """Accepts events as they come; overload and bad items are outcomes and never end the stream."""
        async for request, result in answers(
            request_iterator, self._submit, in_flight=self._stream_in_flight
        ):
            if isinstance(result, Exception):
                result = _Answer(_failed(request.event.event_id, result))  # noqa: PLW2901
            response = ingest_pb2.IngestStreamResponse(correlation_id=request.correlation_id, last=True)
            if isinstance(result, _Answer):
                response.last = result.last
                if result.verdict:
                    response.verdict.CopyFrom(result.verdict.to_proto())
                result = result.outcome  # noqa: PLW2901
            fill(response.outcome, result)
            yield response

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

    def _submit(self, request: ingest_pb2.IngestStreamRequest) -> asyncio.Future[Any]:
        self._quotas.spend()
        if request.wait_for_verdict:
            return asyncio.create_task(self._submit_and_wait(request))
        return self._intake.submit(request.event, request.hand_off)

    async def _submit_and_wait(self, request: ingest_pb2.IngestStreamRequest) -> _Answer | Later[_Answer]:
        outcome, expected = await self._admit_and_expect(request, _timeout_s(request))
        if not isinstance(outcome, (Accepted, Duplicate)):
            expected.cancel()
            return _Answer(outcome)
        last = asyncio.create_task(_last_answer(outcome, expected))
        last.add_done_callback(lambda _: expected.cancel())
        return Later(last, None if request.answer_once else _Answer(outcome, last=False))

    async def _admit_and_expect(
        self, request: ingest_pb2.IngestRequest | ingest_pb2.IngestStreamRequest, timeout_s: float
    ) -> tuple[Outcome, Expected]:
        """Has the event admitted; whatever the outcome, the caller has to end the waiting."""
        now_ms = self._clock_ms()
        event = events_pb2.Event()
        event.CopyFrom(request.event)
        if request.HasField("verdict_timeout") and (bad := _timeout_violation(request.verdict_timeout)):
            raise InvalidRequest((*violations_of(Event.from_proto(event), now_ms=now_ms), bad))
        if not event.event_id:  # whoever waits has to know it before the event is on its way
            event.event_id = uuid7(now_ms, os.urandom(RANDOM_BYTES))
        expected = await self._verdicts.expect(event.event_id, timeout_s=timeout_s)
        try:
            outcome = await self._intake.submit(event, request.hand_off, time_left_s=timeout_s)
        except BaseException:
            expected.cancel()
            raise
        if isinstance(outcome, Duplicate):
            self._verdicts.expect_first(expected, outcome.first_id)
        return outcome, expected


def _taken(outcome: Outcome) -> Accepted | Duplicate:
    if isinstance(outcome, Rejected):
        raise InvalidRequest(outcome.violations)
    if isinstance(outcome, RetryLater):
        raise Overloaded(outcome.reason, retry_after_s=outcome.retry_after_s)
    return outcome


async def _last_answer(outcome: Outcome, expected: Expected) -> _Answer:
    return _Answer(outcome, await expected)


def _timeout_s(request: ingest_pb2.IngestRequest | ingest_pb2.IngestStreamRequest) -> float:
    if not request.HasField("verdict_timeout"):
        return _DEFAULT_TIMEOUT_S
    return request.verdict_timeout.seconds + request.verdict_timeout.nanos / 1e9


def _timeout_violation(timeout: Duration) -> Violation | None:
    seconds = timeout.seconds + timeout.nanos / 1e9
    if _LEAST_TIMEOUT_S <= seconds <= _MOST_TIMEOUT_S:
        return None
    return Violation("verdict_timeout", f"is {seconds:g} s", "1 ms to 60 s")


def _failed(event_id: str, error: Exception) -> Outcome:
    if isinstance(error, InvalidRequest):
        return Rejected(event_id, error.violations)
    if isinstance(error, Retry):
        return RetryLater(event_id, str(error), error.retry_after_s)
    raise error
