"""`ScreeningService`: the gRPC edge of direct screening. No call leaves a trace."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import grpc
from seawall.screening.v1 import screening_pb2, screening_pb2_grpc, verdict_pb2

from pipeline.admission import MAX_BATCH
from pipeline.coalescer import Coalescer
from pipeline.errors import InvalidRequest, ModelOutputInvalid, Retry, Violation
from pipeline.event import Event
from pipeline.position import Position
from pipeline.quota import Quotas
from pipeline.stream import answers
from pipeline.validation import content_violation, violations_of
from pipeline.verdict import Verdict, similar_to_proto
from pipeline.wire import batch_violation, violations_to_proto
from screener.core import ScreeningCore
from screener.hand_off_stream import HandOffDoor, forbidden, until_told
from screener.similar import SimilarTexts
from screener.wanted import read_request
from screener.watch import Watches

_DEFAULT_SIMILAR, _MOST_SIMILAR = 10, 100
_DEFAULT_COSINE = 0.8


StreamResult = Verdict | list[screening_pb2.AdmittedResult] | None
"""Of an event, of admitted events, of the word that the screener is about to stop."""


class ScreeningService(screening_pb2_grpc.ScreeningServiceServicer):
    """Serves `seawall.screening.v1.ScreeningService`; errors are raised, for `pipeline.guard` to answer.

    Calls that arrive together are screened together.
    """

    def __init__(
        self,
        core: ScreeningCore,
        similar: SimilarTexts,
        door: HandOffDoor,
        watches: Watches,
        quotas: Quotas,
        *,
        batch_size: int,
        batches_in_flight: int,
        max_waiting: int,
        stream_in_flight: int,
        model_timeout_s: float,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._core = core
        self._similar = similar
        self._door = door
        self._watches = watches
        self._quotas = quotas
        self._stream_in_flight = stream_in_flight
        self._model_timeout_s = model_timeout_s
        self._clock_ms = clock_ms
        self._coalescer: Coalescer[Event, Verdict] = Coalescer(
            self._screen, max_batch=batch_size, max_waiting=max_waiting, concurrency=batches_in_flight
        )

    async def Screen(  # noqa: N802  # the proto's name
        self,
        request: screening_pb2.ScreenRequest,
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> screening_pb2.ScreenResponse:
        """Screens one event."""
        self._quotas.spend()
        verdict = await self._submit(Event.from_proto(request.event))
        return screening_pb2.ScreenResponse(verdict=verdict.to_proto())

    async def ScreenBatch(  # noqa: N802
        self,
        request: screening_pb2.ScreenBatchRequest,
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> screening_pb2.ScreenBatchResponse:
        """Screens up to 500 events; one result for each, in order."""
        if violation := batch_violation(len(request.events), MAX_BATCH):
            raise InvalidRequest((violation,))
        refusals = self._quotas.spend_on(len(request.events))
        within = request.events[: len(request.events) - len(refusals)]
        results = await asyncio.gather(*(self._result(Event.from_proto(event)) for event in within))
        return screening_pb2.ScreenBatchResponse(
            results=[*results, *(result_to_proto(refusal) for refusal in refusals)]
        )

    async def ScreenStream(  # noqa: N802
        self,
        request_iterator: AsyncIterator[screening_pb2.ScreenStreamRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[screening_pb2.ScreenStreamResponse]:
        """Screens events as they come; bad items and overload are results and never end the stream.

        Admitted events are taken from keys that may hand off alone; their streams are told of a drain.
        """
        permitted = await self._door.permits(context.invocation_metadata())
        requests: AsyncIterator[screening_pb2.ScreenStreamRequest | None] = request_iterator
        if permitted:
            await context.send_initial_metadata(())  # the stream stands, and ingest may count on it
            requests = until_told(request_iterator, self._door.stopping)
        async for request, result in answers(
            requests,
            lambda request: self._answer(request, may_hand_off=permitted),
            in_flight=self._stream_in_flight,
        ):
            yield _stream_response(request, result)

    async def FindSimilar(  # noqa: N802
        self,
        request: screening_pb2.FindSimilarRequest,
        context: grpc.aio.ServicerContext[Any, Any],  # noqa: ARG002
    ) -> screening_pb2.FindSimilarResponse:
        """Finds earlier events near a text."""
        self._quotas.spend()
        min_cosine = request.min_cosine if request.HasField("min_cosine") else _DEFAULT_COSINE
        if violations := _query_violations(request.content, request.limit, min_cosine):
            raise InvalidRequest(violations)
        version, similar = await self._similar.find(
            request.content, limit=request.limit or _DEFAULT_SIMILAR, min_cosine=min_cosine
        )
        return screening_pb2.FindSimilarResponse(
            similar_events=[similar_to_proto(s) for s in similar], model_version=version
        )

    async def WatchVerdicts(  # type: ignore[override]  # noqa: N802  # it writes itself, for it has to see stalls
        self,
        request: screening_pb2.WatchVerdictsRequest,
        context: grpc.aio.ServicerContext[Any, screening_pb2.WatchVerdictsResponse],
    ) -> None:
        """Tells verdicts as they are published, until the caller or this screener ends it."""

        async def write(position: Position, verdict: verdict_pb2.Verdict | None) -> None:
            await context.write(
                screening_pb2.WatchVerdictsResponse(position=position.encode(), verdict=verdict)
            )

        wanted, start = read_request(request)
        await self._watches.watch(wanted, start, write)

    async def drain(self) -> None:
        """Waits until every call has its verdict."""
        await self._coalescer.drain()

    def _answer(
        self, request: screening_pb2.ScreenStreamRequest | None, *, may_hand_off: bool
    ) -> asyncio.Future[StreamResult]:
        if request is None:
            told: asyncio.Future[StreamResult] = asyncio.get_running_loop().create_future()
            told.set_result(None)
            return told
        if not request.admitted:  # what is handed over was counted where it came in
            self._quotas.spend()
            return self._submit(Event.from_proto(request.event))  # type: ignore[return-value]  # read, never set
        if not may_hand_off:
            raise forbidden()
        return asyncio.ensure_future(self._door.settle(request.admitted))

    def _submit(self, event: Event) -> asyncio.Future[Verdict]:
        if violations := violations_of(event, now_ms=self._clock_ms()):
            raise InvalidRequest(violations)
        return self._coalescer.submit(event)

    async def _result(self, event: Event) -> screening_pb2.ScreenResult:
        try:
            return result_to_proto(await self._submit(event))
        except (InvalidRequest, Retry, ModelOutputInvalid) as error:
            return result_to_proto(error)

    async def _screen(self, events: Sequence[Event]) -> Sequence[Verdict | Exception]:
        try:
            screened = await self._core.screen(events, timeout_s=self._model_timeout_s)
        except ModelOutputInvalid as error:  # one of them is to blame, and its caller alone shall be told
            if len(events) == 1:
                return [error]
            return [(await self._screen([event]))[0] for event in events]
        return [result.verdict for result in screened]


def _stream_response(
    request: screening_pb2.ScreenStreamRequest | None, result: StreamResult | Exception
) -> screening_pb2.ScreenStreamResponse:
    """The answer to an item of a stream; without an item, word that the screener is about to stop."""
    if request is None or result is None:
        return screening_pb2.ScreenStreamResponse(draining=True)
    if isinstance(result, list):
        return screening_pb2.ScreenStreamResponse(
            correlation_id=request.correlation_id, admitted_results=result
        )
    return screening_pb2.ScreenStreamResponse(
        correlation_id=request.correlation_id, result=result_to_proto(result)
    )


def result_to_proto(result: Verdict | Exception) -> screening_pb2.ScreenResult:
    """A verdict, or why there is none, as a message; errors that are no item's own are raised."""
    if isinstance(result, Verdict):
        return screening_pb2.ScreenResult(verdict=result.to_proto())
    if isinstance(result, InvalidRequest):
        rejection = screening_pb2.Rejection(violations=violations_to_proto(result.violations))
        return screening_pb2.ScreenResult(rejection=rejection)
    if isinstance(result, (Retry, ModelOutputInvalid)):
        message = screening_pb2.ScreenResult()
        delay_s = result.retry_after_s if isinstance(result, Retry) else 1.0
        message.retry_after.FromMilliseconds(round(delay_s * 1000))
        return message
    raise result


def _query_violations(content: str, limit: int, min_cosine: float) -> tuple[Violation, ...]:
    violations = []
    if bad_content := content_violation(content):
        violations.append(bad_content)
    if limit > _MOST_SIMILAR:
        violations.append(
            Violation("limit", f"is {limit}", f"0 to {_MOST_SIMILAR}; 0 means {_DEFAULT_SIMILAR}")
        )
    if not (math.isfinite(min_cosine) and 0 <= min_cosine <= 1):
        violations.append(Violation("min_cosine", f"is {min_cosine:g}", "0 to 1"))
    return tuple(violations)
