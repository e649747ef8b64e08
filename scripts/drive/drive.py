"""`drive`: rows in, a ledger out, with everything shown on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import grpc

from pipeline.channel import open_channel
from pipeline.event import Event
from pipeline.keys import ONLY
from pipeline.store import connect
from pipeline.tls import CertificatesInForce
from pipeline.verdict import Verdict
from scripts.drive.ledger import Answer, Ledger
from scripts.drive.sender import Sender
from scripts.drive.watcher import Seen, Watcher
from scripts.errors import BadRow
from scripts.rows.events import EventRow

PATIENCE_S = 60.0
"""After so long without any news, what is still open counts as lost."""
_CHECK_PERIOD_S = 1.0
_LINGER_S = 0.3  # for a second verdict that should not come
_REDIS_TIMEOUT_MS = 10_000

Rows = AsyncIterator[Sequence[EventRow | BadRow]]


class Show(Protocol):
    """Shows a run while it goes on."""

    def verdict(self, event: Event, verdict: Verdict, latency_s: float) -> None:
        """An event has its verdict."""

    def rejected(self, line: int, problem: str) -> None:
        """A line was rejected: by its form, or by ingest."""

    def progress(self, ledger: Ledger) -> None:
        """Some time has passed; called a few times a second."""


@dataclass(frozen=True, slots=True)
class Target:
    """The system to drive: ingest's host and port, the key, Redis's URL, and what TLS to them needs."""

    ingest_address: str
    api_key: str
    redis_url: str
    credentials: grpc.ChannelCredentials | None = None
    redis_certificates: CertificatesInForce | None = None


async def drive(
    target: Target,
    rows: Rows,
    show: Show,
    *,
    in_flight: int,
    check: Callable[[], None],
    patience_s: float = PATIENCE_S,
) -> Ledger:
    """Sends every row and waits for every verdict.

    Args:
        target: the system.
        rows: chunks of rows, in order.
        show: told what happens.
        in_flight: most events without answer or verdict at a time, so that the latencies tell of the system
            and not of a queue that this client made.
        check: raises when the system is not running any more; called a few times a second.
        patience_s: how long nothing may happen until the rest counts as lost.

    Raises:
        CommandFailed: ingest takes nothing, or refuses the key.
        StoreUnavailable: Redis does not answer.
    """
    client = connect(target.redis_url, timeout_ms=_REDIS_TIMEOUT_MS, certificates=target.redis_certificates)
    async with client, open_channel(target.ingest_address, target.credentials) as channel:
        watcher = Watcher(client, ONLY)
        await watcher.note_positions()
        ledger = Ledger()
        sender = Sender(
            channel, api_key=target.api_key, ledger=ledger, clock=time.perf_counter, in_flight=in_flight
        )
        run = _Run(sender, watcher, ledger, show, in_flight=in_flight)
        feeding = asyncio.create_task(run.feed(rows))
        try:
            await run.watch(feeding, check=check, patience_s=patience_s)
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            await run.abandon()
        return ledger


@dataclass(slots=True)
class _Waiting:
    """An event under way; `holders` sendings of it share this."""

    event: Event
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    holders: int = 0


class _Run:
    """One run: `feed` sends, `watch` takes in; `_room` bounds the events between them."""

    def __init__(
        self, sender: Sender, watcher: Watcher, ledger: Ledger, show: Show, *, in_flight: int
    ) -> None:
        self._sender = sender
        self._watcher = watcher
        self._ledger = ledger
        self._show = show
        self._room = asyncio.Semaphore(in_flight)
        self._waiting: dict[str, _Waiting] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    async def feed(self, rows: Rows) -> None:
        """Sends the rows as fast as the window lets it, and returns with the last answer and verdict."""
        async for chunk in rows:
            for row in chunk:
                if isinstance(row, BadRow):
                    self._ledger.unreadable()
                    self._show.rejected(row.line, row.problem)
                else:
                    await self._room.acquire()
                    task = asyncio.create_task(self._carry(row))
                    self._under_way.add(task)
                    task.add_done_callback(self._carried)
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def watch(
        self, feeding: asyncio.Task[None], *, check: Callable[[], None], patience_s: float
    ) -> None:
        """Takes verdicts in until every row is settled, or nothing has happened for too long."""
        checked_at = news_at = time.monotonic()
        news, linger_until = -1, None
        while linger_until is None or time.monotonic() < linger_until:
            self._take(await self._watcher.read())
            self._show.progress(self._ledger)
            if self._failure is not None:
                raise self._failure
            now = time.monotonic()
            if now - checked_at > _CHECK_PERIOD_S:
                checked_at = now
                check()
            if feeding.done():
                feeding.result()  # raises what broke the file, if something did
                linger_until = linger_until or now + _LINGER_S
            if self._ledger.steps != news:
                news, news_at = self._ledger.steps, now
            elif self._ledger.open and now - news_at > patience_s:
                return

    async def abandon(self) -> None:
        """Ends what is still under way."""
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry(self, row: EventRow) -> None:
        """One row's whole way, from here to its verdict."""
        event = row.event
        waiting = self._waiting.setdefault(event.event_id, _Waiting(event))
        waiting.holders += 1
        try:
            reply = await self._sender.send(event)
            if reply.answer is Answer.ACCEPTED:
                await waiting.settled.wait()
            elif reply.answer is Answer.REJECTED:
                self._show.rejected(row.line, reply.problem)
        finally:
            waiting.holders -= 1
            if not waiting.holders:
                self._waiting.pop(event.event_id, None)

    def _carried(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._room.release()
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()

    def _take(self, seen: Sequence[Seen]) -> None:
        at = time.perf_counter()
        for entry in seen:
            waiting = self._waiting.get(entry.event_id)
            verdict = entry.verdict
            if verdict is None:
                self._ledger.dead_letter(entry.event_id)
            else:
                latency_s = self._ledger.verdict(
                    entry.event_id, category=verdict.category, route=verdict.route, at=at
                )
                if latency_s is not None and waiting is not None and not waiting.settled.is_set():
                    self._show.verdict(waiting.event, verdict, latency_s)
            if waiting is not None:
                waiting.settled.set()
