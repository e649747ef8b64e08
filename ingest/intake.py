"""`Intake`: from events to outcomes. Validates, names, fingerprints, and admits in batches."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ingest.drain_rate import DrainRate
from ingest.metrics import IngestMetrics
from pipeline.admission import MAX_BATCH, AdmissionReport, Admitted, Candidate, Decision
from pipeline.coalescer import Coalescer
from pipeline.errors import InvalidRequest, Overloaded, StoreUnavailable, Violation
from pipeline.event import Event, Platform
from pipeline.fingerprint import fingerprint
from pipeline.hand_off import HandOff
from pipeline.uuid7 import uuid7
from pipeline.validation import violations_of

_PLATFORM_LABELS = {int(p): p.label for p in Platform}
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


class Intake:
    """Takes events in: in batches of the caller's, or one by one, joined on the way."""

    def __init__(
        self,
        admission: AdmitsBatches,
        metrics: IngestMetrics,
        *,
        depth_limit: int,
        max_waiting: int,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._admission = admission
        self._metrics = metrics
        self._depth_limit = depth_limit
        self._max_waiting = max_waiting
        self._in_batches = 0
        self._clock_ms = clock_ms
        self._drain_rate = DrainRate()
        # Two under way: Redis works on one batch while the replies of the other are handed out.
        self._coalescer: Coalescer[Candidate, Outcome] = Coalescer(
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
        candidate = self._candidate(event)
        if isinstance(candidate, Rejected):
            raise InvalidRequest(candidate.violations)
        try:
            return self._coalescer.submit(candidate)
        except Overloaded:
            self._metrics.refused.labels("calls").inc()
            raise

    async def take(self, events: Sequence[Event], hand_off: int | None = None) -> list[Outcome]:  # noqa: ARG002
        """Takes up to `MAX_BATCH` events in one round trip; outcomes in order.

        Raises:
            InvalidRequest: the way that the caller asks for is not allowed.
            Overloaded: too many wait already.
            StoreUnavailable: Redis is away; what was accepted is then unknown, and sending again is safe.
        """
        if self._in_batches + len(events) > self._max_waiting:
            self._metrics.refused.labels("calls").inc(len(events))
            raise Overloaded(f"{self._in_batches} events of batches wait already", retry_after_s=0.1)
        self._in_batches += len(events)
        try:
            checked = [self._candidate(event) for event in events]
            admitted = iter(await self._admit([c for c in checked if isinstance(c, Candidate)]))
            return [c if isinstance(c, Rejected) else next(admitted) for c in checked]
        finally:
            self._in_batches -= len(events)

    async def drain(self) -> None:
        """Waits until every event submitted has its outcome."""
        await self._coalescer.drain()

    def _candidate(self, event: Event) -> Candidate | Rejected:
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
            fingerprint(event.platform, event.author_id, event.content),
            platform,
            event.encode(),
        )

    async def _admit(self, candidates: Sequence[Candidate]) -> list[Outcome]:
        if not candidates:
            return []
        self._metrics.batch_size.observe(len(candidates))
        try:
            report = await self._admission.admit(candidates)
        except StoreUnavailable:
            self._metrics.refused.labels("redis").inc(len(candidates))
            raise
        accepted = sum(d.admitted is Admitted.ACCEPTED for d in report.decisions)
        self._drain_rate.observe(depth=report.queue_depth, accepted=accepted, now_s=time.monotonic())
        self._metrics.accepted.inc(accepted)
        self._metrics.queue_depth.set(report.queue_depth)
        return [
            self._outcome(candidate, decision, report)
            for candidate, decision in zip(candidates, report.decisions, strict=True)
        ]

    def _outcome(self, candidate: Candidate, decision: Decision, report: AdmissionReport) -> Outcome:
        match decision.admitted:
            case Admitted.ACCEPTED:
                return Accepted(candidate.event_id, HandOff.STREAM)
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
