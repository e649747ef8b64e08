"""`Ends`: how an entry of `events:raw` leaves it, with a verdict or given up."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from pipeline.hand_off import HandOff
from pipeline.move import Move, Mover
from screener.core import Screened
from screener.dead_letter_limit import DeadLetterLimit
from screener.metrics import ScreenerMetrics
from screener.patience import Patience
from screener.publish import Publication
from screener.source import Entry, RawEvent

_log = structlog.get_logger(__name__)


class Ends:
    """Publishes and dead-letters, waiting for Redis where it is away; counts both."""

    def __init__(
        self,
        *,
        mover: Mover,
        publication: Publication,
        metrics: ScreenerMetrics,
        dead_letter_limit: DeadLetterLimit,
        patience: Patience,
        consumer: str,
        forget_tries: Callable[[Entry], Awaitable[object]],
        clock: Callable[[], float],
        clock_ms: Callable[[], int],
    ) -> None:
        """Takes the parts.

        Args:
            mover: out of `events:raw`.
            publication: says what goes where.
            metrics: count.
            dead_letter_limit: counts too, and says when nothing more may be given up.
            patience: of the worker, which may be stopping.
            consumer: the worker's name in the group.
            forget_tries: makes an entry look as if it had never been tried.
            clock: seconds, monotonic.
            clock_ms: ms since the epoch.
        """
        self._mover = mover
        self._publication = publication
        self._metrics = metrics
        self._dead_letter_limit = dead_letter_limit
        self._patience = patience
        self._consumer = consumer
        self._forget_tries = forget_tries
        self._clock = clock
        self._clock_ms = clock_ms

    async def publish(self, raws: Sequence[RawEvent], screened: Sequence[Screened], started: float) -> None:
        """Publishes verdicts; `started` by `time.perf_counter`, when the entries were in hand."""
        now_ms = self._clock_ms()
        moves = [
            self._publication.verdict(raw, result, now_ms=now_ms)
            for raw, result in zip(raws, screened, strict=True)
        ]
        moved = await self._move(moves)
        if moved is None:
            return
        elapsed_s = time.perf_counter() - started
        published = [
            result.verdict for result, new_id in zip(screened, moved, strict=True) if new_id is not None
        ]
        self._metrics.superseded.inc(len(moved) - len(published))
        self._dead_letter_limit.passed(len(published))
        self._metrics.observe_verdicts(published, HandOff.STREAM, elapsed_s)

    async def give_up(self, entry: Entry, reason: str, *, deliveries: int, trace: tuple[str, ...]) -> None:
        """Dead-letters the entry; past the limit it stays, as if it had never been tried."""
        already = self._dead_letter_limit.reached
        if not self._dead_letter_limit.allows(now_s=self._clock()):
            if not already:
                self._metrics.dead_lettering_stopped.set(1)
                _log.error("dead_lettering_stopped", reason=self._dead_letter_limit.reached)
            await self._forget_tries(entry)
            return
        _log.error("dead_lettered", entry_id=entry.entry_id, reason=reason, deliveries=deliveries)
        letter = self._publication.dead_letter(
            entry, reason=reason, deliveries=deliveries, consumer=self._consumer, trace=trace
        )
        if await self._move([letter]):
            self._metrics.dead_lettered.labels(reason).inc()

    async def _move(self, moves: Sequence[Move]) -> list[str | None] | None:
        return await self._patience.for_redis(lambda: self._mover.move(moves))
