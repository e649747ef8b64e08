"""`Watches`: verdicts are told to whoever watches, as they are published."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from google.protobuf.message import DecodeError
from seawall.screening.v1 import verdict_pb2

from pipeline.errors import Overloaded, StoreUnavailable, WatcherTooSlow, WatchInterrupted
from pipeline.position import Position
from pipeline.verdict_tail import Published, VerdictTail
from screener.metrics import ScreenerMetrics
from screener.wanted import Wanted

_READ_COUNT = 50
_RETRY_S = 0.2
_MOST_REST_S = 0.05

Write = Callable[[Position, verdict_pb2.Verdict | None], Awaitable[None]]
"""Sends one message; returns when the transport has taken it, so that flow control holds the caller."""

_log = structlog.get_logger(__name__)


class Watches:
    """Every watcher reads the streams for itself, at its own pace, and so holds nobody else up."""

    def __init__(
        self,
        tail: VerdictTail,
        metrics: ScreenerMetrics,
        *,
        max_watchers: int,
        stall_s: float,
        block_ms: int,
        fresh_s: float = 5.0,
        patience_s: float = 30.0,
    ) -> None:
        """Takes the bounds.

        Args:
            tail: on a client of its own, with a connection for each watcher.
            metrics: where watchers are counted.
            max_watchers: most at a time.
            stall_s: how long one message may wait for the watcher to read.
            block_ms: how long one read waits; less than Redis's time limit.
            fresh_s: after how long a watcher that is told nothing is told the position.
            patience_s: how long a watch outlasts a Redis that is away.
        """
        self._tail = tail
        self._metrics = metrics
        self._max_watchers = max_watchers
        self._stall_s = stall_s
        self._block_ms = block_ms
        self._fresh_s = fresh_s
        self._patience_s = patience_s
        self._scopes: set[asyncio.Timeout] = set()
        self._stopping = False

    async def watch(self, wanted: Wanted, start: Position | None, write: Write) -> None:
        """Tells verdicts from `start` on, or from now on; never returns. The first message has no verdict.

        Raises:
            Overloaded: there are enough watchers.
            PositionLost: what follows the position is not there, or no more.
            WatcherTooSlow: a message was not taken in time.
            WatchInterrupted: the screener stops, or Redis stays away.
            StoreUnavailable: Redis is away from the beginning.
        """
        if self._stopping:
            raise _stopped(start)
        if len(self._scopes) >= self._max_watchers:
            raise Overloaded(f"{self._max_watchers} watch already", retry_after_s=5.0)
        scope = asyncio.timeout(None)  # `stop` has it expire, whatever the watch waits for
        self._scopes.add(scope)
        watch: _Watch | None = None
        try:
            async with scope:
                watch = _Watch(wanted, await self._start(start), write, stall_s=self._stall_s)
                with self._metrics.watchers.track_inprogress():  # once it misses nothing that is published
                    await self._follow(watch)
        except TimeoutError:
            raise _stopped(watch.position if watch else start) from None
        finally:
            self._scopes.discard(scope)

    def stop(self) -> None:
        """Ends every watch at once, and every one to come."""
        self._stopping = True
        for scope in self._scopes:
            scope.reschedule(0.0)

    async def _start(self, start: Position | None) -> Position:
        if start is None:
            return await self._tail.end()
        await self._tail.require_known(start)
        await self._tail.require_whole(start)
        return start

    async def _follow(self, watch: _Watch) -> None:
        await watch.tell(watch.position, None)
        clock = asyncio.get_running_loop().time
        answered_s = clock()
        while True:
            try:
                published = await self._tail.after(watch.position, count=_READ_COUNT, block_ms=self._block_ms)
                await self._tail.require_whole(watch.position)
                answered_s = clock()
            except StoreUnavailable:
                if clock() - answered_s > self._patience_s:
                    raise WatchInterrupted("Redis is away", watch.position.encode()) from None
                published = []
                await asyncio.sleep(_RETRY_S)
            begun_s = clock()
            for entry in published:
                await watch.pass_on(entry)
            if len(published) >= _READ_COUNT:  # it catches up: half of the time is left to the pipeline
                await asyncio.sleep(min(_MOST_REST_S, clock() - begun_s))
            if clock() - watch.told_s >= self._fresh_s:
                await watch.tell(watch.position, None)


class _Watch:
    """One watcher: what it wants, and how far it has come."""

    def __init__(self, wanted: Wanted, position: Position, write: Write, *, stall_s: float) -> None:
        self.position = position
        self.told_s = 0.0
        self._wanted = wanted
        self._write = write
        self._stall_s = stall_s

    async def pass_on(self, entry: Published) -> None:
        """Tells an entry, if it is wanted."""
        try:
            verdict = verdict_pb2.Verdict.FromString(entry.payload)
        except DecodeError:
            _log.error("verdict_undecodable")
            self.position = entry.position
            return
        if self._wanted.lets_through(verdict):
            await self.tell(entry.position, verdict)
        else:
            self.position = entry.position

    async def tell(self, position: Position, verdict: verdict_pb2.Verdict | None) -> None:
        """Sends one message.

        Raises:
            WatcherTooSlow: it was not taken in time.
        """
        # Whatever ends the waiting, a message that was begun arrives before the status does, or neither does.
        self.position = position
        try:
            async with asyncio.timeout(self._stall_s):
                await self._write(position, verdict)
        except TimeoutError:
            raise WatcherTooSlow("the watcher does not keep up", position.encode()) from None
        self.told_s = asyncio.get_running_loop().time()


def _stopped(position: Position | None) -> WatchInterrupted:
    return WatchInterrupted("this screener is about to stop", position.encode() if position else "")
