"""`Worker`: from `events:raw` to verdicts. Reads, screens, publishes, and takes over what others left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import structlog

from pipeline.errors import EntryUndecodable, ModelOutputInvalid, ModelUnavailable, StoreUnavailable
from pipeline.event import Event
from pipeline.move import Mover
from pipeline.tasks import end
from screener.core import Screened, ScreeningCore
from screener.dead_letter_limit import DeadLetteringStopped, DeadLetterLimit
from screener.encoder import is_long
from screener.ends import Ends
from screener.metrics import ScreenerMetrics
from screener.patience import Patience, longer
from screener.publish import Publication
from screener.source import Entry, RawEvent, Source
from screener.trace import trace_of
from screener.turns import Turns

_BLOCK_MS = 500
_CLAIM_PERIOD_S = 1.0
_PROBED = 20
_PARTS = 2
"""Of a batch: short texts, and long ones, which keep the model for seconds and nobody else waiting."""
_KEPT_TIMES = 4
"""How often an entry in hand is kept from being taken over, in the time after which it would be."""

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
    probe_s: float


class Worker:
    """Moves every entry of `events:raw` to its one destination; `model_ready` tells if the model answers.

    An entry is read in a batch. Where a batch fails, or its process dies twice, its entries are tried one by
    one, with nothing beside them, so that a poison entry harms no neighbour. One that fails by itself
    `max_deliveries` times, or as often leaves its worker dead, is dead-lettered. Waiting for Triton or Redis
    is no try; nor is a model that has no valid answer to anything (`screener.breaker` tells it apart).

    What is in hand is nobody else's while this process lives, however long it takes: were it handed from one
    slow worker to the next, it would look like what kills them.

    Past the limit on dead-lettering nothing is given up: what fails stays in `events:raw`, its tries are
    forgotten, and nothing more is taken but a few entries every `probe_s`, until these pass.
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
        dead_letter_limit: DeadLetterLimit,
        model_ready: Callable[[], Awaitable[bool]],
        clock: Callable[[], float] = time.monotonic,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._source = source
        self._core = core
        self._metrics = metrics
        self._limits = limits
        self._dead_letter_limit = dead_letter_limit
        self._turns = Turns(_PARTS * limits.batches_in_flight)
        self._model_ready = model_ready
        self._held: set[str] = set()
        self._patience = Patience(metrics)
        self._ends = Ends(
            mover=mover,
            publication=publication,
            metrics=metrics,
            dead_letter_limit=dead_letter_limit,
            patience=self._patience,
            consumer=source.consumer,
            forget_tries=lambda entry: self._note_tries(entry, 0),
            clock=clock,
            clock_ms=clock_ms,
        )

    async def run(self) -> None:
        """Works until `stop`; then ends what it has in hand."""
        loops = [self._consume() for _ in range(self._limits.batches_in_flight)]
        keeping = asyncio.create_task(self._keep())
        try:
            await asyncio.gather(*loops, self._take_over(), self._probe())
        finally:
            await end((keeping,))

    def stop(self) -> None:
        """Reads no more."""
        self._patience.stop()

    async def takes_entries(self) -> bool:
        """For readiness: True.

        Raises:
            DeadLetteringStopped: no entries are taken, for too many had to be given up.
        """
        if reached := self._dead_letter_limit.reached:
            raise DeadLetteringStopped(reached)
        return True

    async def _consume(self) -> None:
        while not self._patience.stopping:
            if self._dead_letter_limit.reached:
                await self._patience.pause(_CLAIM_PERIOD_S)
            elif entries := await self._patience.for_redis(self._read):
                with self._holding(entries):
                    await self._process(entries)

    async def _take_over(self) -> None:
        while not self._patience.stopping:
            entries = None if self._dead_letter_limit.reached else await self._patience.for_redis(self._claim)
            if not entries:
                await self._patience.pause(_CLAIM_PERIOD_S)
                continue
            self._metrics.claimed.inc(len(entries))
            with self._holding(entries):
                await self._process_claimed(entries)

    async def _keep(self) -> None:
        """Until cancelled: tells the others that what is in hand here is slow, and not lost."""
        period_ms = self._limits.claim_idle_ms / _KEPT_TIMES
        while True:
            await asyncio.sleep(period_ms / 1000)
            with suppress(StoreUnavailable):
                if self._held:
                    await self._source.keep(sorted(self._held), idle_ms=int(period_ms / 2))

    async def _probe(self) -> None:
        """While the limit is reached: sees now and then whether entries still fail."""
        while not self._patience.stopping:
            if not self._dead_letter_limit.reached:
                await self._patience.pause(_CLAIM_PERIOD_S)
            elif not await self._patience.pause(self._limits.probe_s):
                entries = await self._patience.for_redis(self._some)
                with self._holding(entries or ()):
                    await self._process_probed(entries or ())

    async def _read(self) -> list[Entry]:
        return await self._source.read(count=self._limits.batch_size, block_ms=_BLOCK_MS)

    async def _claim(self) -> list[Entry]:
        claimed = await self._source.claim(idle_ms=self._limits.claim_idle_ms, count=self._limits.batch_size)
        # What this process holds is not lost, only slow; it comes here where `_keep` came too late.
        return [entry for entry in claimed if entry.entry_id not in self._held]

    async def _some(self) -> list[Entry]:
        """New entries; without any, those that were kept."""
        return await self._source.read(count=_PROBED, block_ms=_BLOCK_MS) or (await self._claim())[:_PROBED]

    @contextmanager
    def _holding(self, entries: Sequence[Entry]) -> Iterator[None]:
        ids = {entry.entry_id for entry in entries}
        self._held |= ids
        try:
            yield
        finally:
            self._held -= ids

    async def _process(self, entries: Sequence[Entry]) -> None:
        started = time.perf_counter()
        raws = []
        for entry in entries:
            try:
                raws.append(RawEvent(entry, Event.decode(entry.payload)))
            except EntryUndecodable as error:
                await self._ends.give_up(entry, "undecodable", deliveries=1, trace=trace_of(error))
        if raws:
            self._metrics.batch_size.observe(len(raws))
        parts = ([raw for raw in raws if is_long(raw.event.content) is long] for long in (False, True))
        await asyncio.gather(*(self._process_part(part, started) for part in parts if part))

    async def _process_part(self, raws: Sequence[RawEvent], started: float) -> None:
        try:
            screened = await self._screen([raw.event for raw in raws])
        except Exception as error:  # noqa: BLE001  # one of them is poison
            _log.warning("batch_failed", exc_type=type(error).__name__, events=len(raws))
        else:
            if screened is not None:
                await self._ends.publish(raws, screened, started)
            return
        for raw in raws:
            await self._try_alone(raw)

    async def _process_claimed(self, entries: Sequence[Entry]) -> None:
        suspects = await self._patience.for_redis(lambda: self._source.suspects(entries))
        if suspects is None:
            return
        if innocent := [entry for entry in entries if entry.entry_id not in suspects]:
            await self._process(innocent)
        for entry in entries:
            if entry.entry_id in suspects and not self._dead_letter_limit.reached:
                await self._process_alone(entry)

    async def _process_probed(self, entries: Sequence[Entry]) -> None:
        failed = sum([not await self._process_alone(entry) for entry in entries])
        if not entries or self._patience.stopping:
            return
        if not self._dead_letter_limit.tolerates(failed, of=len(entries)):
            _log.warning("dead_letter_probe_failed", entries=len(entries), failed=failed)
            return
        self._dead_letter_limit.go_on()
        self._metrics.dead_lettering_stopped.set(0)
        _log.info("dead_lettering_goes_on", entries=len(entries), failed=failed)

    async def _process_alone(self, entry: Entry) -> bool:
        """Whether it has left the queue as it should; not where it was given up or kept, or when stopping."""
        try:
            raw = RawEvent(entry, Event.decode(entry.payload))
        except EntryUndecodable as error:
            await self._ends.give_up(entry, "undecodable", deliveries=1, trace=trace_of(error))
            return False
        return await self._try_alone(raw)

    async def _try_alone(self, raw: RawEvent) -> bool:
        entry = raw.entry
        tries = await self._patience.for_redis(lambda: self._source.tries(entry.entry_id))
        trace: tuple[str, ...] = ()
        wait_s = 0.0
        while tries is not None:
            if tries >= self._limits.max_deliveries:
                await self._ends.give_up(entry, "max_deliveries", deliveries=tries, trace=trace)
                return False
            if await self._patience.pause(wait_s):
                return False
            if not self._limits.degrade and not await self._patience.until_ready(self._model_ready):
                return False
            async with self._turns.alone():
                # Before the try, for it may be what kills the process.
                if not await self._note_tries(entry, tries + 1):
                    return not self._patience.stopping
                started = time.perf_counter()
                try:
                    screened = await self._judge([raw.event])
                except ModelUnavailable as error:
                    wait_s = longer(wait_s)
                    self._patience.model_away(error, wait_s)
                    await self._note_tries(entry, tries)
                except Exception as error:  # noqa: BLE001  # whatever it is, it is this entry's
                    tries, trace = tries + 1, trace_of(error)
                    _log.warning(
                        "entry_failed", entry_id=entry.entry_id, exc_type=type(error).__name__, tries=tries
                    )
                else:
                    await self._ends.publish([raw], screened, started)
                    return True
        return False

    async def _note_tries(self, entry: Entry, tries: int) -> bool | None:
        return await self._patience.for_redis(lambda: self._source.note_tries(entry.entry_id, tries))

    async def _screen(self, events: Sequence[Event]) -> list[Screened] | None:
        """Verdicts, however long the model is away (unless degrading is allowed); None when stopping."""
        wait_s = longer()
        while True:
            try:
                async with self._turns.together():
                    return await self._judge(events)
            except ModelUnavailable as error:
                self._patience.model_away(error, wait_s)
            if await self._patience.pause(wait_s):
                return None
            wait_s = longer(wait_s)

    async def _judge(self, events: Sequence[Event]) -> list[Screened]:
        try:
            return await self._core.screen(events, timeout_s=self._limits.model_timeout_s)
        except (ModelUnavailable, ModelOutputInvalid) as error:
            one_of_them = isinstance(error, ModelOutputInvalid) and len(events) > 1
            if one_of_them or not self._limits.degrade:
                raise
            self._metrics.degraded.inc(len(events))
            return self._core.screen_degraded(events)
