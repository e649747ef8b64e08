"""`Verdicts`: callers wait for the verdict of an event, whichever way it comes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import partial

import structlog

from ingest.event_status import EventStatuses
from ingest.metrics import IngestMetrics
from pipeline.errors import EntryUndecodable, Overloaded, StoreUnavailable
from pipeline.position import Position
from pipeline.record import RecordState
from pipeline.tasks import end
from pipeline.verdict import Verdict
from pipeline.verdict_tail import VerdictTail

_LINGER_S = 5.0
"""How long the streams are read on with nobody waiting: the next one then finds the reading under way."""
_READ_COUNT = 200
_RETRY_S = 0.2

Expected = asyncio.Future[Verdict | None]
"""Gives the verdict, or None where it did not come in time; cancelling it ends the waiting."""

_log = structlog.get_logger(__name__)


class Verdicts:
    """Hands verdicts to those who wait for them.

    A verdict comes by `tell`, from a screener that answers directly, or is seen on its stream. All who wait
    share one reading of the streams, which goes on only while somebody waits.
    """

    def __init__(
        self,
        tail: VerdictTail,
        statuses: EventStatuses,
        metrics: IngestMetrics,
        *,
        max_waiting: int,
        block_ms: int,
    ) -> None:
        """Takes the most that wait at once, and how long one read waits: less than Redis's time limit."""
        self._tail = tail
        self._statuses = statuses
        self._metrics = metrics
        self._max_waiting = max_waiting
        self._block_ms = block_ms
        self._waiting: defaultdict[str, set[Expected]] = defaultdict(set)
        self._open: set[Expected] = set()
        self._read_until_s = 0.0
        self._starting = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None
        self._looking: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def expect(self, event_id: str, *, timeout_s: float) -> Expected:
        """Waits from now on for the verdict of an event; called before the event is admitted.

        Raises:
            Overloaded: too many wait already.
            StoreUnavailable: Redis is away.
        """
        if len(self._open) >= self._max_waiting:
            raise Overloaded(f"{self._max_waiting} wait for verdicts already", retry_after_s=0.5)
        loop = asyncio.get_running_loop()
        expected: Expected = loop.create_future()
        self._open.add(expected)
        self._metrics.awaited.set(len(self._open))
        timer = loop.call_later(0.0 if self._stopped else max(0.0, timeout_s), _settle, expected, None)
        expected.add_done_callback(lambda _: timer.cancel())
        expected.add_done_callback(self._close)
        self._listen(event_id, expected)
        try:
            await self._read_on()
        except BaseException:
            expected.cancel()
            raise
        return expected

    def expect_first(self, expected: Expected, first_id: str) -> None:
        """Waits, too, for the verdict of the event that came first; it may be there already."""
        self._listen(first_id, expected)
        looking = asyncio.create_task(self._look(expected, first_id))
        self._looking.add(looking)
        looking.add_done_callback(self._looking.discard)
        expected.add_done_callback(lambda _: looking.cancel())

    def awaits(self, event_id: str) -> bool:
        """Whether anybody waits for the verdict of this event."""
        return event_id in self._waiting

    def tell(self, verdict: Verdict) -> None:
        """Hands a verdict to those who wait for it."""
        for expected in tuple(self._waiting.get(verdict.event_id, ())):
            _settle(expected, verdict)

    def stop(self, *, within_s: float) -> None:
        """Has all who wait, or come, go without a verdict after `within_s`, so that their calls end well."""
        asyncio.get_running_loop().call_later(within_s, self._let_go)

    async def close(self) -> None:
        """Ends what is under way."""
        self._let_go()
        await end([task for task in (self._reading, *self._looking) if task is not None])

    def _let_go(self) -> None:
        self._stopped = True
        for expected in tuple(self._open):
            _settle(expected, None)

    def _listen(self, event_id: str, expected: Expected) -> None:
        self._waiting[event_id].add(expected)
        expected.add_done_callback(partial(self._forget, event_id))

    def _forget(self, event_id: str, expected: Expected) -> None:
        self._waiting[event_id].discard(expected)
        if not self._waiting[event_id]:
            del self._waiting[event_id]

    def _close(self, expected: Expected) -> None:
        self._open.discard(expected)
        self._metrics.awaited.set(len(self._open))
        self._read_until_s = asyncio.get_running_loop().time() + _LINGER_S
        if not expected.cancelled():
            self._metrics.waits.labels("verdict" if expected.result() else "none").inc()

    async def _look(self, expected: Expected, first_id: str) -> None:
        try:
            status = await self._statuses.of(first_id)
            if status.duplicate_of:  # it is, by now, itself the duplicate of another
                self._listen(status.duplicate_of, expected)
                status = await self._statuses.of(status.duplicate_of)
        except (StoreUnavailable, EntryUndecodable):
            return  # the verdict may still come
        if status.state is not RecordState.QUEUED:
            _settle(expected, status.verdict)

    async def _read_on(self) -> None:
        """Has the streams read, from here on at the latest."""
        async with self._starting:
            if self._reading is None or self._reading.done():
                position = await self._tail.end()
                self._reading = asyncio.create_task(self._read(position))

    async def _read(self, position: Position) -> None:
        clock = asyncio.get_running_loop().time
        while self._open or clock() < self._read_until_s:
            try:
                published = await self._tail.after(position, count=_READ_COUNT, block_ms=self._block_ms)
            except StoreUnavailable:
                await asyncio.sleep(_RETRY_S)
                continue
            for entry in published:
                position = entry.position
                if entry.event_id in self._waiting:
                    self._tell_published(entry.payload)

    def _tell_published(self, payload: bytes) -> None:
        try:
            self.tell(Verdict.decode(payload))
        except EntryUndecodable:
            _log.error("verdict_undecodable")


def _settle(expected: Expected, verdict: Verdict | None) -> None:
    if not expected.done():
        expected.set_result(verdict)
