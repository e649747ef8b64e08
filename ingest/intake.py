"""`Intake`: from the messages of events to outcomes. Has them checked, and admits in batches."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple, Protocol

from seawall.events.v1 import events_pb2
from seawall.ingest.v1 import ingest_pb2

from ingest.checks import Checked, Checks
from ingest.direct.screener_stream import ScreenerStream
from ingest.direct.sender import NoSeat, Sender
from ingest.drain_rate import DrainRate
from ingest.metrics import IngestMetrics
from pipeline.admission import MAX_BATCH, AdmissionReport, Admitted, Candidate
from pipeline.coalescer import Coalescer
from pipeline.errors import Overloaded, StoreUnavailable, Violation
from pipeline.event import PLATFORM_LABELS
from pipeline.fingerprint import Digests
from pipeline.hand_off import HandOff, HandOffChoice

_NO_LIMIT_S = float("inf")
_WAYS = {int(way): way for way in HandOff}
_EVENT_ID, _PLATFORM = attrgetter("event_id"), attrgetter("platform")
_QUIET_TURNS = 6
"""As many as a call takes from the wire to here. With one, nine of ten single calls went to Redis alone under
load, which takes longer than all the rest of them; with six there are five to seven to a batch."""
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


class Accepted(NamedTuple):
    """The event is durably on its way under this id. A tuple, for most events end as one."""

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


class _Arrival(NamedTuple):
    """An event, unchecked, and until when its caller waits for the verdict, by the loop's clock."""

    message: events_pb2.Event
    way: HandOff
    useful_until: float


Seat = ScreenerStream | NoSeat


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
        self._checks = Checks(digests)
        self._ways = ways
        self._metrics = metrics
        self._depth_limit = depth_limit
        self._max_waiting = max_waiting
        self._in_batches = 0
        self._clock_ms = clock_ms
        self._drain_rate = DrainRate()
        # One under way: what comes while Redis works goes together. With two, batches are smaller, and a call
        # to Redis takes longer than ten events in it.
        self._coalescer: Coalescer[_Arrival, Outcome] = Coalescer(
            self._admit_arrivals,
            max_batch=MAX_BATCH,
            max_waiting=max_waiting,
            concurrency=1,
            quiet_turns=_QUIET_TURNS,
        )

    def submit(
        self, message: events_pb2.Event, hand_off: int | None = None, *, time_left_s: float | None = None
    ) -> asyncio.Future[Outcome]:
        """Takes one event; it is checked with those that arrive together, and shares their round trip.

        The future gives the outcome, or raises StoreUnavailable where Redis is away.

        Args:
            message: the event, unchecked; fields that we do not know are taken out of it.
            hand_off: the way that the caller asks for, a `HandOff`; None or 0 for the operator's choice.
            time_left_s: how long the caller waits for the verdict; None where he does not wait.

        Raises:
            InvalidRequest: the way is not allowed.
            Overloaded: too many wait already.
        """
        way = self._ways.of(hand_off)
        useful_until = _NO_LIMIT_S
        if time_left_s is not None:
            useful_until = asyncio.get_running_loop().time() + time_left_s
        try:
            return self._coalescer.submit(_Arrival(message, way, useful_until))
        except Overloaded:
            self._metrics.received_on(_platform_of(message.platform)).inc()
            self._metrics.refused.labels("calls").inc()
            raise

    async def take(self, request: ingest_pb2.IngestBatchRequest) -> list[Outcome]:
        """Takes a request of up to `MAX_BATCH` events in one round trip; outcomes in order.

        Raises:
            InvalidRequest: the way that the caller asks for is not allowed.
            Overloaded: too many wait already.
            StoreUnavailable: Redis is away; what was accepted is then unknown, and sending again is safe.
        """
        events = len(request.events)
        if self._in_batches + events > self._max_waiting:
            self._metrics.refused.labels("calls").inc(events)
            raise Overloaded(f"{self._in_batches} events of batches wait already", retry_after_s=0.1)
        way = self._ways.of(request.hand_off)
        self._in_batches += events
        try:
            checked = self._checks.batch(request, way, self._clock_ms())
            return await self._admit_checked(request.events, checked, [_NO_LIMIT_S] * events)
        finally:
            self._in_batches -= events

    async def drain(self) -> None:
        """Waits until every event submitted has its outcome."""
        await self._coalescer.drain()

    async def _admit_arrivals(self, arrivals: Sequence[_Arrival]) -> list[Outcome]:
        messages, ways, useful_until = zip(*arrivals, strict=True)
        checked = self._checks.singles(messages, ways, self._clock_ms())
        return await self._admit_checked(messages, checked, useful_until)

    async def _admit_checked(
        self, messages: Sequence[events_pb2.Event], checked: Checked, useful_until: Sequence[float]
    ) -> list[Outcome]:
        candidates, wrong = checked
        received = Counter(map(_PLATFORM, candidates))
        if not wrong:
            self._count_received(received)
            return await self._admit(candidates, useful_until)
        self._count_received(received + Counter(_platform_of(messages[place].platform) for place in wrong))
        useful_until = [until for place, until in enumerate(useful_until) if place not in wrong]
        admitted = iter(await self._admit(candidates, useful_until))
        return [
            self._rejected(message.event_id, wrong[place]) if place in wrong else next(admitted)
            for place, message in enumerate(messages)
        ]

    async def _admit(self, candidates: list[Candidate], useful_until: Sequence[float]) -> list[Outcome]:
        if not candidates:
            return []
        self._metrics.batch_size.observe(len(candidates))
        seats = self._seats(candidates, useful_until)
        for number, seat in seats.items():
            if isinstance(seat, NoSeat):
                candidates[number] = candidates[number]._replace(hand_off=HandOff.STREAM)
        try:
            report = await self._admission.admit(candidates)
        except BaseException as error:
            for seat in seats.values():
                if isinstance(seat, ScreenerStream):
                    seat.leave_seat()
            if isinstance(error, StoreUnavailable):
                self._metrics.refused.labels("redis").inc(len(candidates))
            raise
        for number, seat in seats.items():
            self._hand_over(seat, candidates[number], useful_until[number], report, number)
        self._count_admitted(report)
        if not any(report.outcomes):
            return list(map(Accepted, map(_EVENT_ID, candidates), map(_WAYS.__getitem__, report.streams)))
        return [
            Accepted(candidate.event_id, _WAYS[stream])
            if outcome == Admitted.ACCEPTED
            else self._not_accepted(candidate.event_id, outcome, told, report)
            for candidate, outcome, stream, told in zip(
                candidates, report.outcomes, report.streams, report.told, strict=True
            )
        ]

    def _seats(self, candidates: Sequence[Candidate], useful_until: Sequence[float]) -> dict[int, Seat]:
        """A seat for each event of the direct way, by its place in the batch, taken before it is admitted."""
        direct = [number for number, each in enumerate(candidates) if each.hand_off is HandOff.DIRECT]
        if self._sender is None:
            return dict.fromkeys(direct, NoSeat.NO_SCREENER)
        return {number: self._sender.take_seat(useful_until=useful_until[number]) for number in direct}

    def _hand_over(
        self, seat: Seat, candidate: Candidate, useful_until: float, report: AdmissionReport, number: int
    ) -> None:
        """Sends what was admitted to the direct way, and gives up the seat of what was not."""
        stream = report.streams[number]
        if isinstance(seat, ScreenerStream) and self._sender is not None:
            if stream == HandOff.DIRECT:
                self._sender.send(
                    seat,
                    entry_id=report.told[number].decode(),
                    event_id=candidate.event_id,
                    platform=candidate.platform,
                    payload=candidate.payload,
                    useful_until=useful_until,
                )
                return
            seat.leave_seat()
        if stream == HandOff.STREAM:
            self._metrics.spilled.labels(seat.value if isinstance(seat, NoSeat) else "no_room").inc()

    def _count_admitted(self, report: AdmissionReport) -> None:
        queued, direct = report.streams.count(HandOff.STREAM), report.streams.count(HandOff.DIRECT)
        for way, number in ((HandOff.STREAM, queued), (HandOff.DIRECT, direct)):
            if number:
                self._metrics.accepted_by(way.label).inc(number)
        self._drain_rate.observe(depth=report.queue_depth, accepted=queued, now_s=time.monotonic())
        self._metrics.queue_depth.set(report.queue_depth)
        self._metrics.direct_depth.set(report.direct_depth)

    def _not_accepted(self, event_id: str, outcome: int, told: bytes, report: AdmissionReport) -> Outcome:
        if outcome == Admitted.DUPLICATE:
            self._metrics.deduplicated.inc()
            return Duplicate(event_id, told.decode())
        if outcome == Admitted.CONFLICT:
            return self._rejected(event_id, _CONFLICT)
        self._metrics.refused.labels("queue").inc()
        delay_s = self._drain_rate.delay_s(depth=report.queue_depth, limit=self._depth_limit)
        return RetryLater(event_id, "the queue is full", delay_s)

    def _rejected(self, event_id: str, violations: tuple[Violation, ...]) -> Rejected:
        self._count_violations(violations)
        return Rejected(event_id, violations)

    def _count_received(self, by_platform: Counter[str]) -> None:
        for platform, number in by_platform.items():
            self._metrics.received_on(platform).inc(number)

    def _count_violations(self, violations: tuple[Violation, ...]) -> None:
        for violation in violations:
            self._metrics.invalid.labels(violation.field).inc()


def _platform_of(number: int) -> str:
    return PLATFORM_LABELS.get(number, "unspecified")
