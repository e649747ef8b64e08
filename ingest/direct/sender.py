"""`Sender`: hands admitted events to the screeners; what none of them finishes goes to the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count
from typing import Protocol

import structlog

from ingest.direct.addresses import Address
from ingest.direct.handed import Handed
from ingest.direct.screener_stream import LEAST_TIME_LEFT_S, GiveBack, ScreenerStream
from ingest.metrics import IngestMetrics
from pipeline.errors import StoreUnavailable
from pipeline.keys import Keys
from pipeline.move import Mover
from pipeline.spill import spill
from pipeline.tasks import end

RESOLVE_PERIOD_S = 5.0
_EXPIRE_PERIOD_S = 0.05
_SPILL_BATCH = 100
_log = structlog.get_logger(__name__)


class NoSeat(Enum):
    """Why an event goes through the queue from the start; the values are labels of a metric."""

    LATE = "late"
    NO_ROOM = "no_room"
    BREAKER = "breaker"
    NO_SCREENER = "no_screener"


class Resolves(Protocol):
    """The screeners' addresses, as the sender sees them."""

    async def resolve(self) -> frozenset[Address]:
        """The addresses of now."""


@dataclass(frozen=True, slots=True)
class SenderLimits:
    """How many events are on the direct way in all, and how long one may take there."""

    in_flight: int
    timeout_s: float


class Sender:
    """Gives seats before admission, the least busy screener's first, and takes events after it.

    An event ends here by the screener's word, by a move to `events:raw`, or, where Redis does not answer,
    by its lease.
    """

    def __init__(
        self,
        addresses: Resolves,
        open_stream: Callable[[Address, GiveBack], ScreenerStream],
        *,
        mover: Mover,
        keys: Keys,
        limits: SenderLimits,
        metrics: IngestMetrics,
    ) -> None:
        """Takes the parts; `mover` moves out of `events:direct`."""
        self._addresses = addresses
        self._open_stream = open_stream
        self._mover = mover
        self._keys = keys
        self._limits = limits
        self._metrics = metrics
        self._streams: dict[Address, ScreenerStream] = {}
        self._running: dict[asyncio.Task[None], ScreenerStream] = {}  # and those whose address is gone
        self._moving: set[asyncio.Task[None]] = set()
        self._being_moved = 0
        self._turns = count(1)
        self._failure: BaseException | None = None
        metrics.outstanding.set_function(lambda: self.in_flight)

    @property
    def in_flight(self) -> int:
        """Events on the direct way, and those on their way from there to the queue."""
        return sum(stream.outstanding for stream in self._running.values()) + self._being_moved

    def take_seat(self, *, useful_until: float) -> ScreenerStream | NoSeat:
        """A seat on the least busy stream for an event to be admitted; `send` or `leave_seat` follows.

        Args:
            useful_until: until when the caller waits for the verdict, by the loop's clock.
        """
        now_s = asyncio.get_running_loop().time()
        if useful_until - now_s < LEAST_TIME_LEFT_S:
            return NoSeat.LATE
        if self.in_flight >= self._limits.in_flight:
            return NoSeat.NO_ROOM
        stream = self._least_busy(now_s)
        if stream is None:
            return self._why_none(now_s)
        stream.take_seat(next(self._turns))
        return stream

    def send(
        self,
        seat: ScreenerStream,
        *,
        entry_id: str,
        event_id: str,
        platform: str,
        payload: bytes,
        useful_until: float,
    ) -> None:
        """Puts an admitted event on its way."""
        now_s = asyncio.get_running_loop().time()
        expires_at = now_s + self._limits.timeout_s
        handed = Handed(
            entry_id, event_id, platform, payload, now_s, expires_at, min(useful_until, expires_at)
        )
        if seat.standing:
            seat.send(handed)
        else:
            seat.leave_seat()
            self._reseat((handed,))

    async def run(self) -> None:
        """Keeps a stream to each screener until cancelled; `close` ends the streams."""
        await asyncio.gather(self._look_up(), self._watch())  # a name may take long to be resolved

    async def close(self, *, grace_s: float) -> None:
        """Ends the streams, waiting for answers for `grace_s` at most; then moves the rest to the queue."""
        self._follow(())
        if self._running:
            await asyncio.wait(self._running, timeout=grace_s)
        await end(tuple(self._running))
        while self._moving:
            await asyncio.wait(self._moving)

    async def _look_up(self) -> None:
        while True:
            self._follow(await self._addresses.resolve())
            await asyncio.sleep(RESOLVE_PERIOD_S)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while self._failure is None:
            for stream in tuple(self._running.values()):
                stream.expire(loop.time())
            await asyncio.sleep(_EXPIRE_PERIOD_S)
        raise self._failure

    def _least_busy(self, now_s: float) -> ScreenerStream | None:
        free = (stream for stream in self._streams.values() if stream.has_seat(now_s))
        # Among equals the one that has waited longest, so that single events, too, are spread.
        return min(free, key=lambda stream: (stream.outstanding, stream.turn), default=None)

    def _why_none(self, now_s: float) -> NoSeat:
        standing = [stream for stream in self._streams.values() if stream.standing]
        if not standing:
            return NoSeat.NO_SCREENER
        return NoSeat.BREAKER if all(stream.is_resting(now_s) for stream in standing) else NoSeat.NO_ROOM

    def _follow(self, addresses: Iterable[Address]) -> None:
        wanted = frozenset(addresses)
        for address in self._streams.keys() - wanted:
            self._streams.pop(address).close()
        for address in wanted - self._streams.keys():
            stream = self._streams[address] = self._open_stream(address, self._given_back)
            task = asyncio.create_task(stream.run())
            self._running[task] = stream
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task)
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()

    def _given_back(self, leaving: Sequence[Handed], reason: str) -> None:
        if reason == "draining":  # the screener never saw them
            self._reseat(leaving)
        else:
            self._spill(leaving, reason)

    def _reseat(self, leaving: Sequence[Handed]) -> None:
        now_s = asyncio.get_running_loop().time()
        nowhere = []
        for handed in leaving:
            if stream := self._least_busy(now_s):
                stream.take_seat(next(self._turns))
                stream.send(handed)
            else:
                nowhere.append(handed)
        if nowhere:
            self._spill(nowhere, "draining")

    def _spill(self, leaving: Sequence[Handed], reason: str) -> None:
        for start in range(0, len(leaving), _SPILL_BATCH):
            batch = leaving[start : start + _SPILL_BATCH]
            self._being_moved += len(batch)
            task = asyncio.create_task(self._move(batch, reason))
            self._moving.add(task)
            task.add_done_callback(self._moving.discard)

    async def _move(self, batch: Sequence[Handed], reason: str) -> None:
        moves = [
            spill(
                self._keys,
                entry_id=handed.entry_id,
                event_id=handed.event_id,
                platform=handed.platform,
                payload=handed.payload,
            )
            for handed in batch
        ]
        try:
            moved = await self._mover.move(moves)
            self._metrics.spilled.labels(reason).inc(sum(new_id is not None for new_id in moved))
        except StoreUnavailable:
            _log.warning("spill_left_to_the_lease", entries=len(batch))
        finally:
            self._being_moved -= len(batch)
