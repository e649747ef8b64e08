"""`Worker`: from `events:raw` to verdicts. Reads, screens, publishes, and takes over what others left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from pipeline.errors import EntryUndecodable, ModelOutputInvalid, ModelUnavailable, StoreUnavailable
from pipeline.event import Event
from pipeline.hand_off import HandOff
from pipeline.move import Move, Mover
from screener.core import Screened, ScreeningCore
from screener.metrics import ScreenerMetrics
from screener.publish import Publication
from screener.source import Entry, RawEvent, Source

_BLOCK_MS = 500
_CLAIM_PERIOD_S = 1.0
_FIRST_WAIT_S, _MOST_WAIT_S = 0.1, 5.0

Result = TypeVar("Result")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """How much at once, how long, how often; see the settings of the same names."""

    batch_size: int
    batches_in_flight: int
    claim_idle_ms: int
    max_deliveries: int
    model_timeout_s: float
    degrade: bool


class Worker:
    """Moves every entry of `events:raw` to its one destination; `model_ready` tells if the model answers.

    An entry is read in a batch. Where a batch fails, its entries are tried one by one, so that a poison entry
    harms no neighbour; one that fails by itself `max_deliveries` times, or that was left by a dead worker as
    often, is dead-lettered. Waiting for Triton or Redis is no try.
    """

    def __init__(
        self,
        *,
        source: Source,
        core: ScreeningCore,
        mover: Mover,
        publication: Publication,
        metrics: ScreenerMetrics,
        limits: WorkerLimits,
        model_ready: Callable[[], Awaitable[bool]],
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._source = source
        self._core = core
        self._mover = mover
        self._publication = publication
        self._metrics = metrics
        self._limits = limits
        self._model_ready = model_ready
        self._clock_ms = clock_ms
        self._held: set[str] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Works until `stop`; then ends what it has in hand."""
        loops = [self._consume() for _ in range(self._limits.batches_in_flight)]
        await asyncio.gather(*loops, self._take_over())

    def stop(self) -> None:
        """Reads no more."""
        self._stopping.set()

    async def _consume(self) -> None:
        while not self._stopping.is_set():
            entries = await self._waiting_for_redis(
                lambda: self._source.read(count=self._limits.batch_size, block_ms=_BLOCK_MS)
            )
            if entries:
                await self._holding(entries, self._process)

    async def _take_over(self) -> None:
        while not self._stopping.is_set():
            claimed = await self._waiting_for_redis(
                lambda: self._source.claim(idle_ms=self._limits.claim_idle_ms, count=self._limits.batch_size)
            )
            # What this process holds is not lost, only slow.
            entries = [entry for entry in claimed or () if entry.entry_id not in self._held]
            self._metrics.claimed.inc(len(entries))
            for entry in entries:
                await self._holding([entry], self._process_alone)
            if not claimed:
                await self._pause(_CLAIM_PERIOD_S)

    async def _holding(
        self, entries: Sequence[Entry], process: Callable[[Sequence[Entry]], Awaitable[None]]
    ) -> None:
        ids = {entry.entry_id for entry in entries}
        self._held |= ids
        try:
            await process(entries)
        finally:
            self._held -= ids

    async def _process(self, entries: Sequence[Entry]) -> None:
        started = time.perf_counter()
        raws = []
        for entry in entries:
            try:
                raws.append(RawEvent(entry, Event.decode(entry.payload)))
            except EntryUndecodable:
                await self._give_up(entry, "undecodable", deliveries=1)
        if not raws:
            return
        self._metrics.batch_size.observe(len(raws))
        try:
            screened = await self._screen([raw.event for raw in raws])
        except Exception as error:  # noqa: BLE001  # one of them is poison; each is tried by itself
            _log.warning("batch_failed", exc_type=type(error).__name__, events=len(raws))
            for raw in raws:
                await self._process_alone([raw.entry])
            return
        if screened is not None:
            await self._publish(raws, screened, started)

    async def _process_alone(self, entries: Sequence[Entry]) -> None:
        entry = entries[0]
        while not self._stopping.is_set():
            if not self._limits.degrade and not await self._model_there():
                return
            started = time.perf_counter()
            # Counted before the try, for it may be what kills the process; but not while the model is away,
            # when a process is killed for other reasons.
            tries = await self._waiting_for_redis(lambda: self._source.count_try(entry.entry_id))
            if tries is None:
                return
            if tries > self._limits.max_deliveries:
                await self._give_up(entry, "max_deliveries", deliveries=tries - 1)
                return
            try:
                raw = RawEvent(entry, Event.decode(entry.payload))
                screened = await self._screen([raw.event])
            except EntryUndecodable:
                await self._give_up(entry, "undecodable", deliveries=tries)
                return
            except Exception as error:  # noqa: BLE001  # whatever it is, it is this entry's
                _log.warning(
                    "entry_failed", entry_id=entry.entry_id, exc_type=type(error).__name__, tries=tries
                )
                continue
            if screened is None:  # stopping; the try ended for no fault of the entry
                await self._waiting_for_redis(lambda: self._source.uncount_try(entry.entry_id))
            else:
                await self._publish([raw], screened, started)
            return

    async def _screen(self, events: Sequence[Event]) -> list[Screened] | None:
        """Verdicts, however long the model is away (unless degrading is allowed); None when stopping."""
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                return await self._core.screen(events, timeout_s=self._limits.model_timeout_s)
            except (ModelUnavailable, ModelOutputInvalid) as error:
                if self._limits.degrade:
                    self._metrics.degraded.inc(len(events))
                    return self._core.screen_degraded(events)
                self._metrics.held.labels("model").inc()
                _log.warning("waiting_for_model", exc_type=type(error).__name__, wait_s=wait_s)
            if await self._pause(wait_s):
                return None
            wait_s = min(_MOST_WAIT_S, wait_s * 2)

    async def _model_there(self) -> bool:
        """Returns once the model is ready; False when stopping meanwhile."""
        while not await self._model_ready():
            self._metrics.held.labels("model").inc()
            if await self._pause(_MOST_WAIT_S / 10):
                return False
        return True

    async def _publish(self, raws: Sequence[RawEvent], screened: Sequence[Screened], started: float) -> None:
        now_ms = self._clock_ms()
        moves = [
            self._publication.verdict(raw, result, now_ms=now_ms)
            for raw, result in zip(raws, screened, strict=True)
        ]
        moved = await self._move(moves)
        if moved is None:
            return
        elapsed_s = time.perf_counter() - started
        for result, new_id in zip(screened, moved, strict=True):
            if new_id is None:
                self._metrics.superseded.inc()
                continue
            self._metrics.observe_verdict(result.verdict, HandOff.STREAM, elapsed_s)

    async def _give_up(self, entry: Entry, reason: str, *, deliveries: int) -> None:
        _log.error("dead_lettered", entry_id=entry.entry_id, reason=reason, deliveries=deliveries)
        if await self._move([self._publication.dead_letter(entry, reason=reason, deliveries=deliveries)]):
            self._metrics.dead_lettered.labels(reason).inc()

    async def _move(self, moves: Sequence[Move]) -> list[str | None] | None:
        return await self._waiting_for_redis(lambda: self._mover.move(moves))

    async def _waiting_for_redis(self, call: Callable[[], Awaitable[Result]]) -> Result | None:
        """The result, however long Redis is away; None when stopping meanwhile."""
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                return await call()
            except StoreUnavailable:
                self._metrics.held.labels("redis").inc()
                _log.warning("waiting_for_redis", wait_s=wait_s)
            if await self._pause(wait_s):
                return None
            wait_s = min(_MOST_WAIT_S, wait_s * 2)

    async def _pause(self, seconds: float) -> bool:
        """Waits; answers whether the worker is to stop."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True
