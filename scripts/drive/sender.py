"""`Sender`: brings events to ingest, and tries again where ingest says so."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import grpc
from google.rpc import error_details_pb2
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc

from pipeline.coalescer import Coalescer
from pipeline.event import Event
from pipeline.status import details_of
from scripts.drive.ledger import Answer, Ledger
from scripts.errors import CommandFailed

MAX_BATCH = 128
"""Events of one call, where so many wait: beyond this a larger call is no cheaper per event."""
CALLS_AT_ONCE = 4
CALL_TIMEOUT_S = 30.0
GIVE_UP_S = 60.0
FIRST_BACKOFF_S, MAX_BACKOFF_S = 0.05, 2.0

_RETRIED = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """The last word of ingest on one event: the answer, and for a rejection why."""

    answer: Answer
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Lost:
    """No answer to a call: whether it was carried out is unknown, unless ingest said that it was not."""

    unknown: bool
    retry_after_s: float
    why: str


class Sender:
    """Sends events by `IngestBatch`; those submitted together share a call, a lone one goes at once."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        *,
        api_key: str,
        ledger: Ledger,
        clock: Callable[[], float],
        in_flight: int,
    ) -> None:
        """Takes an open channel; `in_flight` bounds how many events may be submitted at once."""
        self._stub = ingest_pb2_grpc.IngestServiceStub(channel)
        self._metadata = (("api-key", api_key),)
        self._ledger = ledger
        self._clock = clock
        self._calls: Coalescer[Event, ingest_pb2.Outcome | _Lost] = Coalescer(
            self._call, max_batch=MAX_BATCH, max_waiting=in_flight, concurrency=CALLS_AT_ONCE
        )

    async def send(self, event: Event) -> Reply:
        """Sends one event until ingest has accepted, recognised or rejected it; keeps the ledger.

        Raises:
            CommandFailed: the key is wrong, or ingest took nothing for a minute.
        """
        give_up = self._clock() + GIVE_UP_S
        backoff_s, repeated = FIRST_BACKOFF_S, False
        self._ledger.sent(event.event_id, self._clock())
        while True:
            outcome = await self._calls.submit(event)
            if isinstance(outcome, _Lost):
                repeated |= outcome.unknown
                wait_s, why = outcome.retry_after_s, outcome.why
            elif outcome.code == ingest_pb2.OUTCOME_CODE_RETRY_LATER:
                wait_s, why = outcome.retry_after.ToMilliseconds() / 1000, "its queue is full"
            else:
                return self._settle(event, outcome, repeated=repeated)
            if self._clock() > give_up:
                raise CommandFailed(f"ingest took nothing for {GIVE_UP_S:g} s ({why}): see its log")
            # Half of it at random, so that those who wait do not come back all at once.
            await asyncio.sleep(max(wait_s, backoff_s) * random.uniform(1.0, 1.5))  # noqa: S311  # no secret
            backoff_s = min(2 * backoff_s, MAX_BACKOFF_S)

    def _settle(self, event: Event, outcome: ingest_pb2.Outcome, *, repeated: bool) -> Reply:
        if outcome.code == ingest_pb2.OUTCOME_CODE_ACCEPTED:
            reply = Reply(Answer.ACCEPTED)
        elif outcome.code == ingest_pb2.OUTCOME_CODE_DUPLICATE:
            reply = Reply(Answer.DUPLICATE)
        else:
            problems = (f"{v.field} {v.problem}; allowed: {v.allowed}" for v in outcome.violations)
            reply = Reply(Answer.REJECTED, "; ".join(problems))
        self._ledger.answered(
            event.event_id, reply.answer, duplicate_of=outcome.duplicate_of, repeated=repeated
        )
        return reply

    async def _call(self, events: Sequence[Event]) -> Sequence[ingest_pb2.Outcome | _Lost]:
        request = ingest_pb2.IngestBatchRequest(events=[event.to_proto() for event in events])
        try:
            response = await self._stub.IngestBatch(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            if error.code() not in _RETRIED:
                raise CommandFailed(f"ingest refused: {error.code().name}: {error.details()}") from error
            return [_lost(error)] * len(events)
        return list(response.outcomes)


def _lost(error: grpc.aio.AioRpcError) -> _Lost:
    """What a failed call says: with RetryInfo ingest has spoken and done nothing, else nobody knows.

    A Redis that was away may have carried the batch out all the same, so UNAVAILABLE leaves it open, too.
    """
    status = details_of(error)
    info = error_details_pb2.RetryInfo()
    delay_s = 0.0
    for detail in status.details if status else ():
        if detail.Unpack(info):
            delay_s = info.retry_delay.ToMilliseconds() / 1000
    unknown = error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED
    return _Lost(unknown, delay_s, f"{error.code().name}: {error.details()}")
