"""`HandOffs`: events that ingest hands over directly; screened and published, or moved to the queue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import cast

import structlog

from pipeline.coalescer import Coalescer
from pipeline.errors import ModelOutputInvalid, ModelUnavailable, Overloaded, StoreUnavailable
from pipeline.event import Event, Platform
from pipeline.hand_off import HandOff
from pipeline.keys import Keys
from pipeline.move import Move, Mover
from pipeline.spill import spill
from screener.core import Screened, ScreeningCore
from screener.metrics import ScreenerMetrics
from screener.publish import Publication
from screener.source import RawEvent

_log = structlog.get_logger(__name__)


class SpillReason(IntEnum):
    """Why an event was moved to the queue; numbers as in `seawall.screening.v1.SpillReason`."""

    OVERLOADED = 1
    LATE = 2
    FAILED = 3
    DRAINING = 4


class Unmoved(Enum):
    """Why an event was neither published nor moved."""

    GONE = "somebody else has moved the entry"
    LEFT = "the entry lies where it was"


@dataclass(frozen=True, slots=True)
class Published:
    """The verdict is in its stream; `payload` is `Verdict.encode()`."""

    payload: bytes


Outcome = Published | SpillReason | Unmoved


@dataclass(frozen=True, slots=True)
class Handed:
    """An entry of `events:direct` in our hands; past `deadline_s`, by the clock of `HandOffs`, it is late."""

    raw: RawEvent
    deadline_s: float


@dataclass(frozen=True, slots=True)
class HandOffLimits:
    """How much at once, and how long; see the settings of the same names."""

    batch_size: int
    batches_in_flight: int
    max_waiting: int
    model_timeout_s: float
    degrade: bool


class HandOffs:
    """Gives each event one end: published, moved to the queue, or left alone for its lease to pass.

    Nothing waits here for a part that is away: the queue is where events wait.
    """

    def __init__(
        self,
        *,
        core: ScreeningCore,
        mover: Mover,
        keys: Keys,
        publication: Publication,
        metrics: ScreenerMetrics,
        limits: HandOffLimits,
        clock: Callable[[], float] = time.monotonic,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Takes the parts; `mover` moves out of `events:direct`."""
        self._core = core
        self._mover = mover
        self._keys = keys
        self._publication = publication
        self._metrics = metrics
        self._limits = limits
        self._clock = clock
        self._clock_ms = clock_ms
        self._coalescer: Coalescer[Handed, Outcome] = Coalescer(
            self._settle,
            max_batch=limits.batch_size,
            max_waiting=limits.max_waiting,
            concurrency=limits.batches_in_flight,
        )
        self.draining = asyncio.Event()

    async def take(self, handed: Sequence[Handed]) -> list[Outcome]:
        """What became of each, in order; events that arrive together are screened together."""
        if self.draining.is_set():
            return await self._move(handed, [SpillReason.DRAINING] * len(handed))
        waiting: list[asyncio.Future[Outcome]] = []
        for one in handed:
            try:
                waiting.append(self._coalescer.submit(one))
            except Overloaded:
                break
        refused = handed[len(waiting) :]
        moved = await self._move(refused, [SpillReason.OVERLOADED] * len(refused))
        return [*await asyncio.gather(*waiting), *moved]

    def stop(self) -> None:
        """Takes nothing new: what still comes is moved to the queue."""
        self.draining.set()

    async def drain(self) -> None:
        """Waits until everything taken has its end."""
        await self._coalescer.drain()

    async def _settle(self, batch: Sequence[Handed]) -> list[Outcome]:
        started = self._clock()
        on_time = [one.raw.event for one in batch if one.deadline_s > started]
        judged = iter(await self._screen(on_time))
        found = [next(judged) if one.deadline_s > started else SpillReason.LATE for one in batch]
        outcomes = await self._move(batch, found)
        elapsed_s = self._clock() - started
        published = [
            result.verdict
            for result, outcome in zip(found, outcomes, strict=True)
            if isinstance(result, Screened) and isinstance(outcome, Published)
        ]
        self._metrics.observe_verdicts(published, HandOff.DIRECT, elapsed_s)
        return outcomes

    async def _screen(self, events: Sequence[Event]) -> Sequence[Screened | SpillReason]:
        if not events:
            return []
        self._metrics.batch_size.observe(len(events))
        try:
            return await self._judge(events)
        except Exception as error:  # noqa: BLE001  # whichever event it is, the others shall not pay for it
            _log.warning("batch_failed", exc_type=type(error).__name__, entries=len(events))
        results: list[Screened | SpillReason] = []
        for event in events:
            try:
                results += await self._judge([event])
            except Exception as error:  # noqa: BLE001  # in the queue its tries are counted
                _log.warning("hand_off_failed", exc_type=type(error).__name__)
                results.append(SpillReason.FAILED)
        return results

    async def _judge(self, events: Sequence[Event]) -> Sequence[Screened | SpillReason]:
        try:
            return await self._core.screen(events, timeout_s=self._limits.model_timeout_s)
        except (ModelUnavailable, ModelOutputInvalid) as error:
            if isinstance(error, ModelOutputInvalid) and len(events) > 1:
                raise  # it is one of them, not all
            if self._limits.degrade:
                self._metrics.degraded.inc(len(events))
                return self._core.screen_degraded(events)
            _log.warning("hand_off_without_model", exc_type=type(error).__name__, entries=len(events))
            return [SpillReason.FAILED] * len(events)

    async def _move(self, batch: Sequence[Handed], found: Sequence[Screened | SpillReason]) -> list[Outcome]:
        """Publishes what is judged and moves the rest to the queue, all in one step."""
        if not batch:
            return []
        now_ms = self._clock_ms()
        moves = [self._move_of(one.raw, result, now_ms) for one, result in zip(batch, found, strict=True)]
        try:
            moved = await self._mover.move(moves)
        except StoreUnavailable:
            _log.warning("hand_offs_left", entries=len(batch))
            return [Unmoved.LEFT] * len(batch)
        return [self._told(*each) for each in zip(moves, found, moved, strict=True)]

    def _move_of(self, raw: RawEvent, result: Screened | SpillReason, now_ms: int) -> Move:
        if isinstance(result, Screened):
            return self._publication.verdict(raw, result, now_ms=now_ms)
        return spill(
            self._keys,
            entry_id=raw.entry.entry_id,
            event_id=raw.event.event_id,
            platform=Platform(raw.event.platform).label,
            payload=raw.entry.payload,
        )

    def _told(self, move: Move, result: Screened | SpillReason, new_id: str | None) -> Outcome:
        if new_id is None:
            self._metrics.superseded.inc()
            return Unmoved.GONE
        if isinstance(result, SpillReason):
            self._metrics.spilled.labels(result.name.lower()).inc()
            return result
        return Published(cast("bytes", move.to.fields["payload"]))
