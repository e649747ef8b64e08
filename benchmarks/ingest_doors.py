"""What the benchmarks of ingest load: the service with its Redis, and beside it one that does nothing."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import redis.asyncio as aioredis

from benchmarks.ghz_load import Ghz, Report, ghz
from benchmarks.processor import processor_s
from benchmarks.result import Line, Wanted
from benchmarks.turns import Figures, Series, in_turns
from pipeline.keys import ONLY
from pipeline.store import connect
from scripts.system.ports import Ports
from scripts.system.services import Service, ServicePorts
from scripts.system.system import Part, System

MOST_EVENTS = 250_000
"""Of one turn: with what Redis keeps of each, some 250 MB."""

_SETTINGS = {"MAX_QUEUE_DEPTH": "10000000", "INGEST_MAX_WAITING": "100000"}
"""Nobody screens here: the queue is to take it all."""

Measured = dict[str, dict[str, Series]]
"""By contestant and figure."""

Load = Callable[["Door"], Awaitable[Report]]


@dataclass(frozen=True, slots=True)
class Door:
    """A service that may be called, and its process."""

    name: str
    service: Service
    api_key: str
    pid: int

    def call(self, method: str) -> Ghz:
        """One of its methods, for ghz."""
        return Ghz(method, self.service.address, self.api_key)


class Doors:
    """Ingest with its Redis, and what stands for its limit."""

    def __init__(self, system: System, no_op: Service, store: aioredis.Redis, folder: Path) -> None:
        self.store = store
        self.folder = folder
        """For request files."""
        self.redis_port = system.redis.port
        self.ingest = Door("ingest", system.ingest, system.api_key, system.ingest.process.pid)
        self.no_op = Door("no-op", no_op, system.api_key, no_op.process.pid)

    async def turn(self, door: Door, load: Load, events: int) -> Figures:
        """Loads one of the doors with so many events, with an empty Redis, and sees that none was lost.

        Raises:
            RuntimeError: a call failed, or accepted events are not in the queue.
        """
        await self.store.flushdb()
        before_s = processor_s(door.pid)
        report = await load(door)
        processor = processor_s(door.pid) - before_s
        queued = await self.store.xlen(ONLY.raw)
        if queued != (events if door is self.ingest else 0):
            raise RuntimeError(f"{door.name}: {events} events sent, {queued} in the queue")
        return {
            "events_per_second": events / (report.ended - report.began),
            "p50_ms": report.ms(0.5),
            "p99_ms": report.ms(0.99),
            "processor_us": 1e6 * processor / events,
        }

    async def both(self, load: Load, events: int, rounds: int) -> Measured:
        """Ingest and what does nothing, in turns."""
        return await in_turns(
            {door.name: partial(self.turn, door, load, events) for door in (self.ingest, self.no_op)},
            rounds=rounds,
        )


@asynccontextmanager
async def doors() -> AsyncIterator[Doors]:
    """Starts both, with a Redis that ingest alone uses."""
    with (
        tempfile.TemporaryDirectory(prefix="seawall-bench-") as folder,
        System(parts=frozenset({Part.REDIS, Part.INGEST}), settings=_SETTINGS) as system,
        _no_op(system, Path(folder)) as no_op,
    ):
        store = connect(system.redis_url, timeout_ms=60_000)
        try:
            yield Doors(system, no_op, store, Path(folder))
        finally:
            await store.aclose()


def beside_no_op(figure: str, measured: Measured, name: str, *wanted: Wanted) -> Line:
    """A figure of `Doors.both` as a line."""
    return Line(figure, measured["ingest"][name], measured["no-op"][name], "a no-op handler", wanted)


def at_full_load(method: str, requests: Path, *, calls: int, at_once: int, connections: int = 4) -> Load:
    """`at_once` calls always under way."""
    return lambda door: ghz(
        door.call(method), requests, calls=calls, at_once=at_once, connections=connections
    )


def at_a_rate(method: str, requests: Path, *, calls: int, per_second: float) -> Load:
    """Calls at a fixed rate, whole calls a second."""
    rate = max(1, round(per_second))
    return lambda door: ghz(
        door.call(method), requests, calls=calls, at_once=50, connections=4, per_second=rate
    )


@contextmanager
def _no_op(system: System, folder: Path) -> Iterator[Service]:
    ports = Ports()
    own = ServicePorts(ports.take(name="no-op"), ports.take(name="no-op"))
    service = Service(
        "benchmarks.no_op_ingest",
        ports=own,
        settings={
            "API_KEYS": system.api_key,
            "DEDUP_SECRET": system.dedup_secret,
            "LOG_LEVEL": "WARNING",
            "INGEST_GRPC_PORT": str(own.grpc),
            "INGEST_HTTP_PORT": str(own.http),
        },
        folder=folder,
    )
    service.start()
    try:
        service.wait_ready()
        yield service
    finally:
        service.stop()
