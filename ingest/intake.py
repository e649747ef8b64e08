"""`Intake`: from events to outcomes. Validates, names, fingerprints, and admits in batches."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ingest.direct.screener_stream import ScreenerStream
from ingest.direct.sender import NoSeat, Sender
from ingest.drain_rate import DrainRate
from ingest.metrics import IngestMetrics
from pipeline.admission import MAX_BATCH, AdmissionReport, Admitted, Candidate, Decision
from pipeline.coalescer import Coalescer
from pipeline.errors import InvalidRequest, Overloaded, StoreUnavailable, Violation
from pipeline.event import Event, Platform
from pipeline.fingerprint import Digests
from pipeline.hand_off import HandOff, HandOffChoice
from pipeline.uuid7 import uuid7
from pipeline.validation import violations_of

_PLATFORM_LABELS = {int(p): p.label for p in Platform}
_NO_LIMIT_S = float("inf")
_QUEUE_ALONE = HandOffChoice()
_CONFLICT = (
    Violation(
        "event_id", "was used for another content", "an id that names one platform, author and content"
    ),
)


class AdmitsBatches(Protocol):
    """Redis, as intake sees it."""

    async def admit(self, candidates: Sequence[Candidate]) -> AdmissionReport:
        """Decides and appends a batch, all or nothing."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The event is durably on its way under this id."""

    event_id: str
    hand_off: HandOff


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The event was known; `first_id` came first."""

    event_id: str
    first_id: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The event is not valid."""

    event_id: str
    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class RetryLater:
    """The event was not queued; try again after `retry_after_s`."""

    event_id: str
    reason: str
    retry_after_s: float


Outcome = Accepted | Duplicate | Rejected | RetryLater


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A valid event, and until when its caller waits for the verdict, by the loop's clock."""

    candidate: Candidate
    useful_until: float


class Intake:
    """Takes events in: in batches of the caller's, or one by one, joined on the way."""

    def __init__(
        self,
        admission: AdmitsBatches,
        metrics: IngestMetrics,
        *,
        digests: Digests,
        depth_limit: int,
        max_waiting: int,
        ways: HandOffChoice = _QUEUE_ALONE,
        sender: Sender | None = None,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Takes the parts; without a sender every event goes through the queue."""
        self._admission = admission
        self._sender = sender
        self._digests = digests
        self._ways = ways
        self._metrics = metrics
        self._depth_limit = depth_limit
        self._max_waiting = max_waiting
        self._in_batches = 0
        self._clock_ms = clock_ms
        self._drain_rate = DrainRate()
        # Two under way: Redis works on one batch while the replies of the other are handed out.
        self._coalescer: Coalescer[_Arrival, Outcome] = Coalescer(
            self._admit, max_batch=MAX_BATCH, max_waiting=max_waiting, concurrency=2
        )

    def submit(
        self, event: Event, hand_off: int | None = None, *, time_left_s: float | None = None
    ) -> asyncio.Future[Outcome]:
        """Takes one event; it shares its round trip with those that arrive together.

        The future raises StoreUnavailable where Redis is away.

        Args:
            event: the event, unchecked.
            hand_off: the way that the caller asks for, a `HandOff`; None or 0 for the operator's choice.
            time_left_s: how long the caller waits for the verdict; None where he does not wait.

        Raises:
            InvalidRequest: the event is not valid, or the way is not allowed.
            Overloaded: too many wait already.
        """
        way = self._ways.of(hand_off)
        candidate = self._candidate(event, way)
        if isinstance(candidate, Rejected):
            raise InvalidRequest(candidate.violations)
        useful_s = _NO_LIMIT_S if time_left_s is None else time_left_s
        try:
            return self._coalescer.submit(_Arrival(candidate, asyncio.get_running_loop().time() + useful_s))
        except Overloaded:
            self._metrics.refused.labels("calls").inc()
            raise

    async def take(self, events: Sequence[Event], hand_off: int | None = None) -> list[Outcome]:
        """Takes up to `MAX_BATCH` events in one round trip; outcomes in order.

        Raises:
            InvalidRequest: the way that the caller asks for is not allowed.
            Overloaded: too many wait already.
            StoreUnavailable: Redis is away; what was accepted is then unknown, and sending again is safe.
        """
        if self._in_batches + len(events) > self._max_waiting:
            self._metrics.refused.labels("calls").inc(len(events))
            raise Overloaded(f"{self._in_batches} events of batches wait already", retry_after_s=0.1)
        way = self._ways.of(hand_off)
        self._in_batches += len(events)
        try:
            checked = [self._candidate(event, way) for event in events]
            arrivals = [_Arrival(c, _NO_LIMIT_S) for c in checked if isinstance(c, Candidate)]
            admitted = iter(await self._admit(arrivals))
            return [c if isinstance(c, Rejected) else next(admitted) for c in checked]
        finally:
            self._in_batches -= len(events)

    async def drain(self) -> None:
        """Waits until every event submitted has its outcome."""
        await self._coalescer.drain()

    def _candidate(self, event: Event, way: HandOff) -> Candidate | Rejected:
        platform = _PLATFORM_LABELS.get(event.platform, "unspecified")
        self._metrics.received.labels(platform).inc()
        now_ms = self._clock_ms()
        if violations := violations_of(event, now_ms=now_ms):
            for violation in violations:
                self._metrics.invalid.labels(violation.field).inc()
            return Rejected(event.event_id, violations)
        if not event.event_id or event.created_at_ms is None:
            event = replace(
                event,
                event_id=event.event_id or uuid7(now_ms, os.urandom(10)),
                created_at_ms=now_ms if event.created_at_ms is None else event.created_at_ms,
            )
        return Candidate(
            event.event_id,
            self._digests.fingerprint(event.platform, event.author_id, event.content),
            platform,
            event.encode(),
            way,
        )

    async def _admit(self, arrivals: Sequence[_Arrival]) -> list[Outcome]:
        if not arrivals:
            return []
        self._metrics.batch_size.observe(len(arrivals))
        seats = [self._seat(arrival) for arrival in arrivals]
        candidates = [
            replace(arrival.candidate, hand_off=HandOff.STREAM)
            if isinstance(seat, NoSeat)
            else arrival.candidate
            for arrival, seat in zip(arrivals, seats, strict=True)
        ]
        try:
            report = await self._admission.admit(candidates)
        except BaseException as error:
            for seat in seats:
                if isinstance(seat, ScreenerStream):
                    seat.leave_seat()
            if isinstance(error, StoreUnavailable):
                self._metrics.refused.labels("redis").inc(len(candidates))
            raise
        for arrival, seat, decision in zip(arrivals, seats, report.decisions, strict=True):
            self._hand_over(arrival, seat, decision)
        queued = sum(decision.hand_off is HandOff.STREAM for decision in report.decisions)
        self._drain_rate.observe(depth=report.queue_depth, accepted=queued, now_s=time.monotonic())
        self._metrics.queue_depth.set(report.queue_depth)
        self._metrics.direct_depth.set(report.direct_depth)
        return [
            self._outcome(candidate, decision, report)
            for candidate, decision in zip(candidates, report.decisions, strict=True)
        ]

    def _seat(self, arrival: _Arrival) -> ScreenerStream | NoSeat | None:
        """A seat for an event of the direct way, taken before it is admitted; None for the others."""
        if arrival.candidate.hand_off is not HandOff.DIRECT:
            return None
        if self._sender is None:
            return NoSeat.NO_SCREENER
        return self._sender.take_seat(useful_until=arrival.useful_until)

    def _hand_over(self, arrival: _Arrival, seat: ScreenerStream | NoSeat | None, decision: Decision) -> None:
        """Sends what was admitted to the direct way, and gives up the seat of what was not."""
        if decision.hand_off is not None:
            self._metrics.accepted.labels(decision.hand_off.label).inc()
        if isinstance(seat, ScreenerStream) and self._sender is not None:
            if decision.hand_off is HandOff.DIRECT:
                candidate = arrival.candidate
                self._sender.send(
                    seat,
                    entry_id=decision.entry_id,
                    event_id=candidate.event_id,
                    platform=candidate.platform,
                    payload=candidate.payload,
                    useful_until=arrival.useful_until,
                )
                return
            seat.leave_seat()
        if seat is not None and decision.hand_off is HandOff.STREAM:
            self._metrics.spilled.labels(seat.value if isinstance(seat, NoSeat) else "no_room").inc()

    def _outcome(self, candidate: Candidate, decision: Decision, report: AdmissionReport) -> Outcome:
        match decision.admitted:
            case Admitted.ACCEPTED:
                return Accepted(candidate.event_id, decision.hand_off or HandOff.STREAM)
            case Admitted.DUPLICATE:
                self._metrics.deduplicated.inc()
                return Duplicate(candidate.event_id, decision.first_id)
            case Admitted.CONFLICT:
                self._metrics.invalid.labels("event_id").inc()
                return Rejected(candidate.event_id, _CONFLICT)
            case Admitted.NO_ROOM:
                self._metrics.refused.labels("queue").inc()
                delay_s = self._drain_rate.delay_s(depth=report.queue_depth, limit=self._depth_limit)
                return RetryLater(candidate.event_id, "the queue is full", delay_s)
