"""`seawall bench scale-out`: one, two and four workers of each service, on one host with one index.

Each turn starts both services with so many workers, on a Redis and a Triton that stay. ghz sends batches of
new events: first with no screener there, then with texts whose answers the cache holds, until all have
verdicts.

The limit of n workers is n times one worker, or what the processors allow, where that is less: their number
over the processor time that an event took everybody, the load generator included, with one worker. Two
threads of one core count as two, which is generous.
"""

from __future__ import annotations

import asyncio
import os
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import redis.asyncio as aioredis

from benchmarks.client import BATCH
from benchmarks.event_load import batch_requests, new_events
from benchmarks.ghz_load import Ghz, Report, ghz, write_delimited
from benchmarks.known_world import Known, fill_cache
from benchmarks.memory import resident_mb
from benchmarks.processor import children, processor_s
from benchmarks.result import Effort, Line, Result, Wanted
from benchmarks.turns import Figures, Series, in_turns
from pipeline.keys import ONLY
from pipeline.store import connect
from scripts.system.ports import Ports
from scripts.system.services import Service, ServicePorts
from scripts.system.system import TOKENIZER, Part, System

WORKERS = (1, 2, 4)
_INGESTED_PER_SECOND, _SCREENED_PER_SECOND = 20_000, 1_500
"""Events of a turn, for each second of load."""
_BRIEF_EVENTS = 1_000
_TEXTS = 500
_CONNECTIONS = 16
"""The kernel deals these out among the workers; fewer would often leave one without."""
_WANTED = Wanted(least=0.8, of_ratio=True)
_DRAIN_S = 300.0
_POLL_S = 0.005


async def measure(effort: Effort) -> Result:
    """Measures.

    Raises:
        RuntimeError: a call failed, or events were lost.
    """
    counts = (2,) if effort.brief else WORKERS
    ingested = _BRIEF_EVENTS if effort.brief else _in_batches(_INGESTED_PER_SECOND * effort.seconds)
    screened = _BRIEF_EVENTS if effort.brief else _in_batches(_SCREENED_PER_SECOND * effort.seconds)
    with (
        tempfile.TemporaryDirectory(prefix="seawall-bench-") as folder,
        System(parts=frozenset({Part.REDIS, Part.TRITON})) as system,
    ):
        store = connect(system.redis_url, timeout_ms=60_000)
        try:
            known = Known.real(_TEXTS, _TEXTS, brief=effort.brief)
            host = _Host(system, store, known, Path(folder))
            host.prepare(ingested, screened)
            measured = await in_turns(
                {f"{count}": partial(host.turn, count) for count in counts}, rounds=effort.rounds
            )
        finally:
            await store.aclose()
    lines = [
        line
        for name, about in (
            ("ingested_per_second", "accepted in batches of 500"),
            ("screened_per_second", "ingested and screened, cached texts"),
        )
        for line in _lines(about, name, measured)
    ]
    details = {
        _detail(name, count): series.median
        for count, figures in measured.items()
        for name, series in figures.items()
        if not name.endswith("per_second")
    }
    return Result("scale-out", tuple(lines), {"processors": float(_processors()), **details})


def _detail(name: str, workers: str) -> str:
    if name.endswith("_mb"):
        return f"{name.removesuffix('_mb')}, {workers} workers, MB of all processes"
    return f"{name}, {workers} workers, CPU us an event"


def _lines(about: str, name: str, measured: Mapping[str, Mapping[str, Series]]) -> Iterator[Line]:
    one = measured.get("1")
    for count, figures in measured.items():
        figure = f"{about}, {count} worker{'s' if count != '1' else ''}, events/s"
        if one is None or count == "1":
            yield Line(figure, figures[name])
            continue
        everybody = one[f"everybody {name.removesuffix('_per_second')}"]
        limit = Series(
            tuple(
                min(int(count) * speed, _processors() * 1e6 / cost)
                for speed, cost in zip(one[name].values, everybody.values, strict=True)
            )
        )
        yield Line(figure, figures[name], limit, f"{count} times one worker, or the processors", (_WANTED,))


@dataclass
class _Host:
    """A Redis and a Triton, the requests, and services that come and go."""

    system: System
    store: aioredis.Redis
    known: Known
    folder: Path
    ingested: int = 0
    screened: int = 0

    def prepare(self, ingested: int, screened: int) -> None:
        """Writes the requests of a turn; its Redis is empty, so the next turn's may be the same."""
        self.ingested, self.screened = ingested, screened
        events = new_events(ingested + screened)
        for number, event in enumerate(events[ingested:]):
            event.content = self.known.texts[number % len(self.known.texts)]
        write_delimited(self._requests("ingested"), batch_requests(events[:ingested], BATCH))
        write_delimited(self._requests("screened"), batch_requests(events[ingested:], BATCH))

    async def turn(self, workers: int) -> Figures:
        """Starts both services with so many workers each, and loads them."""
        await self.store.flushdb()
        await fill_cache(self.system, self.store, self.known)
        with ExitStack() as running:
            ingest = running.enter_context(self._service("ingest", workers))
            began = self._used(ingest)
            report = await self._load(ingest, "ingested", self.ingested)
            taken = _spent(began, self._used(ingest), self.ingested)
            if (depth := int(await self.store.xlen(ONLY.raw))) != self.ingested:
                raise RuntimeError(f"{self.ingested} events sent, {depth} in the queue")
            figures = {"ingested_per_second": self.ingested / (report.ended - report.began)}
            figures |= {f"{name} ingested": us for name, us in taken.items()}
            await self.store.delete(ONLY.raw)
            screener = running.enter_context(self._service("screener", workers))
            both = {"ingest": ingest, "screener": screener}
            began = self._used(ingest, screener)
            began_s = time.perf_counter()
            await self._load(ingest, "screened", self.screened)
            async with asyncio.timeout(_DRAIN_S):
                while True:
                    if not await self.store.xlen(ONLY.raw):
                        break
                    await asyncio.sleep(_POLL_S)
            took_s = time.perf_counter() - began_s
            taken = _spent(began, self._used(ingest, screener), self.screened)
            verdicts = sum([int(await self.store.xlen(end)) for end in (ONLY.reasoning_queue, ONLY.low_risk)])
            if verdicts != self.screened:
                raise RuntimeError(f"{self.screened} events, {verdicts} verdicts")
            figures["screened_per_second"] = self.screened / took_s
            figures |= {f"{name}_mb": _resident_mb(service) for name, service in both.items()}
            return figures | {f"{name} screened": us for name, us in taken.items()}

    async def _load(self, ingest: Service, which: str, events: int) -> Report:
        call = Ghz("IngestBatch", ingest.address, self.system.api_key)
        calls = events // BATCH
        return await ghz(
            call, self._requests(which), calls=calls, at_once=_CONNECTIONS, connections=_CONNECTIONS
        )

    def _used(self, *services: Service) -> dict[str, float]:
        """Seconds of processor of each part, by now."""
        loader = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = {
            "redis": processor_s(self.system.redis.process.pid),
            "triton": processor_s(self.system.triton.pid or 0),
            "load generator": loader.ru_utime + loader.ru_stime,
            **{service.process.name: processor_s(service.process.pid) for service in services},
        }
        return {**used, "everybody": sum(used.values())}

    def _requests(self, which: str) -> Path:
        return self.folder / which

    @contextmanager
    def _service(self, name: str, workers: int) -> Iterator[Service]:
        ports = Ports()
        service = Service(
            name,
            ports=ServicePorts(ports.take(name=name), ports.take(name=name)),
            settings={
                "API_KEYS": self.system.api_key,
                "DEDUP_SECRET": self.system.dedup_secret,
                "LOG_LEVEL": "WARNING",
                "REDIS_URL": self.system.redis_url,
                "TRITON_GRPC_URL": self.system.triton.grpc_url,
                "TOKENIZER_PATH": str(TOKENIZER),
                "MAX_QUEUE_DEPTH": "10000000",
                "LOW_RISK_MAX_ENTRIES": "10000000",
                f"{name.upper()}_WORKERS": str(workers),
            },
            folder=self.folder,
        )
        service.start()
        try:
            service.wait_ready()
            yield service
        finally:
            service.stop()


def _spent(before: Mapping[str, float], after: Mapping[str, float], events: int) -> dict[str, float]:
    """Microseconds of processor for each event."""
    return {name: 1e6 * (after[name] - before[name]) / events for name in after}


def _resident_mb(service: Service) -> float:
    """What its processes hold; pages that they share count for each."""
    pid = service.process.pid
    return sum(map(resident_mb, [pid, *children(pid)]))


def _in_batches(events: float) -> int:
    return max(1, int(events) // BATCH) * BATCH


def _processors() -> int:
    return len(os.sched_getaffinity(0))
