"""`seawall bench similarity`: the index of a host beside exact search, at three sizes.

The index is a process of its own, as the screeners of a host share it: asked over its socket, fed from a
stream in Redis. It is full, so the newest texts displace the oldest. Vectors are embeddings of the corpus as
far as there are any, the rest made of those (`benchmarks/embeddings.py`); queries are of held-out texts,
moved by a ten-thousandth each time, or the index would answer from memory. In turns:

- single queries at a fixed rate, each timed from when it was due, while new vectors come in;
- batches of queries, one after the other, by the clock and by the processor's time of the index;
- the same batches by exact search in this process, with one thread, as the index has.

Recall is that of the full index before anything is added: how many it finds of the ten nearest by exact
search.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import faiss
import numpy as np
import orjson
import redis.asyncio as aioredis
from numpy.typing import NDArray

from benchmarks.embeddings import SPREAD, Embedded, embedded
from benchmarks.index_host import BUILT, VECTORS, VERSION, Built, events
from benchmarks.open_loop import at_rate
from benchmarks.processor import processor_s
from benchmarks.result import Effort, Line, Result, Wanted
from benchmarks.turns import Figures, Series, in_turns, percentile
from pipeline.keys import ONLY
from pipeline.store import connect
from pipeline.tasks import end
from screener.model import EMBEDDING_WIDTH
from screener.similarity.seen import Seen
from screener.similarity.shared import SharedComparison, socket_of
from scripts.system.ports import Ports
from scripts.system.process import ChildProcess
from scripts.system.redis import RedisServer

SIZES = (10_000, 100_000, 1_000_000)
_BRIEF_SIZE = 5_000
_K = 10
_BATCH = 100
_QUERIES, _BRIEF_QUERIES = 500, 100
_QUERIES_PER_SECOND = 100
_ADDED_PER_SECOND = 5_500
_ADDED_AT_ONCE = 55
_BUILT_IN_S = 900.0
_FOUND_IN_S = 60.0
_REAL_IN_BRIEF = 256


@dataclass
class World:
    """An index process of one size, and what it is asked with."""

    known: Embedded
    comparison: SharedComparison
    store: aioredis.Redis
    process: ChildProcess
    built: Built
    added: int = 0
    chance: np.random.Generator = field(default_factory=lambda: np.random.default_rng(3))

    def queries(self, count: int) -> NDArray[np.float32]:
        """Held-out vectors float32 [count, 384], none asked before."""
        chosen = self.known.queries[self.chance.integers(len(self.known.queries), size=count)]
        return _unit(chosen + 1e-4 * self.chance.standard_normal(chosen.shape))

    def fresh(self, count: int) -> NDArray[np.float32]:
        """Vectors float32 [count, 384] that the index does not hold."""
        v, a, b = self.known.vectors[self.chance.integers(len(self.known.vectors), size=(3, count))]
        return _unit(v + SPREAD * (a - b))


class _Fresh(NamedTuple):
    """Events that the index does not hold: stream entries, `_ADDED_AT_ONCE` at a time, and the last event."""

    batches: list[list[dict[str, bytes | str | int]]]
    last: Seen


async def measure(effort: Effort) -> Result:
    """Measures at each size.

    Raises:
        RuntimeError: a vector that was added was not found.
        StartupFailed: Redis or the index did not start.
    """
    lines: list[Line] = []
    details: dict[str, float | str] = {"queries at a fixed rate, per second": float(_QUERIES_PER_SECOND)}
    for size in (_BRIEF_SIZE,) if effort.brief else SIZES:
        known = embedded(
            size,
            real=_REAL_IN_BRIEF if effort.brief else 100_000,
            queries=_BRIEF_QUERIES if effort.brief else _QUERIES,
        )
        async with _world(known) as world:
            found, more = await _measured(world, effort)
        lines += found
        details |= more
    return Result("similarity", tuple(lines), details)


async def _measured(world: World, effort: Effort) -> tuple[list[Line], dict[str, float | str]]:
    size = len(world.known.vectors)
    exact = faiss.IndexFlatIP(EMBEDDING_WIDTH)
    exact.add(world.known.vectors)
    recall = await _recall(world, exact)
    ours = await in_turns(
        {
            "at a rate": lambda: _at_a_rate(world, effort.seconds),
            "in batches": lambda: _in_batches(world, effort.seconds),
            "exact": lambda: _exactly(world, exact, effort.seconds),
        },
        rounds=effort.rounds,
    )
    rate, batches, limit = ours["at a rate"], ours["in batches"], ours["exact"]
    name, against = f"{size:,}", "exact search"
    lines = [
        Line(f"{name}: recall at {_K}", Series((recall,)), Series((1.0,)), against, (Wanted(least=0.95),)),
        Line(f"{name}: a query while vectors are added, p50, ms", rate["p50"]),
        Line(f"{name}: the same, p99, ms", rate["p99"], wanted=(Wanted(most=5.0),)),
        Line(f"{name}: added meanwhile, vectors/s", rate["added"], wanted=(Wanted(least=5_000.0),)),
        Line(f"{name}: batches of {_BATCH}, queries/s", batches["queries"], limit["queries"], against),
        Line(f"{name}: the same, a batch, p99, ms", batches["p99"], limit["p99"], against),
        Line(f"{name}: the same, processor, us a query", batches["processor"], limit["processor"], against),
    ]
    details: dict[str, float | str] = {
        f"{name}: vectors of texts": float(min(size, len(world.known.texts))),
        f"{name}: built in, s": world.built.seconds,
        f"{name}: built in, processor s": world.built.processor_s,
        f"{name}: memory, bytes a vector": 1e6 * (world.built.after_mb - world.built.before_mb) / size,
    }
    return lines, details


async def _recall(world: World, exact: faiss.Index) -> float:
    faiss.omp_set_num_threads(len(os.sched_getaffinity(0)))
    queries = world.known.queries
    _, truth = exact.search(queries, _K)
    faiss.omp_set_num_threads(1)
    found = 0
    for at in range(0, len(queries), _BATCH):
        near = await _nearest(world, queries[at : at + _BATCH])
        found += sum(
            len(set(names) & {str(number) for number in numbers})
            for names, numbers in zip(near, truth[at : at + _BATCH].tolist(), strict=True)
        )
    return found / (_K * len(queries))


async def _at_a_rate(world: World, seconds: float) -> Figures:
    queries = world.queries(max(1, int(_QUERIES_PER_SECOND * seconds)))

    async def ask(number: int) -> None:
        await _nearest(world, queries[number : number + 1])

    # Made before the clock runs, for that takes half a second in which nobody could ask.
    adding = asyncio.create_task(_add(world, _fresh(world, seconds), seconds))
    times = await at_rate(ask, per_second=_QUERIES_PER_SECOND, seconds=seconds)
    return {
        "p50": 1000 * percentile(times, 0.5),
        "p99": 1000 * percentile(times, 0.99),
        "added": await adding,
    }


def _fresh(world: World, seconds: float) -> _Fresh:
    first = len(world.known.vectors) + world.added
    vectors = world.fresh(_ADDED_AT_ONCE * max(1, int(_ADDED_PER_SECOND * seconds) // _ADDED_AT_ONCE))
    world.added += len(vectors)
    seen = list(events(vectors, first=first))
    entries = [each.encode() for each in seen]
    batches = [entries[at : at + _ADDED_AT_ONCE] for at in range(0, len(entries), _ADDED_AT_ONCE)]
    return _Fresh(batches, seen[-1])


async def _add(world: World, fresh: _Fresh, seconds: float) -> float:
    """Appends to the stream at a fixed rate; how many a second, until the last is found in the index."""
    batches, last = fresh

    async def append(number: int) -> None:
        pipe = world.store.pipeline(transaction=False)
        for fields in batches[number]:
            pipe.xadd(ONLY.embeddings, fields)  # type: ignore[arg-type]
        await pipe.execute()

    began = time.perf_counter()
    await at_rate(append, per_second=len(batches) / seconds, seconds=seconds)
    while [last.event_id] not in [near[:1] for near in await _nearest(world, last.vector[np.newaxis])]:
        if time.perf_counter() - began > seconds + _FOUND_IN_S:
            raise RuntimeError("a vector that was added is not found")
        await asyncio.sleep(0.01)
    taken = time.perf_counter() - began
    await world.store.delete(ONLY.embeddings)  # all of it is read; the ids go on
    return _ADDED_AT_ONCE * len(batches) / taken


async def _in_batches(world: World, seconds: float) -> Figures:
    before = processor_s(world.process.pid)
    times = await _repeated(lambda queries: _nearest(world, queries), world, seconds)
    return _figures(times, processor_s(world.process.pid) - before)


async def _exactly(world: World, exact: faiss.Index, seconds: float) -> Figures:
    async def search(queries: NDArray[np.float32]) -> object:
        return exact.search(queries, _K)

    before = time.process_time()
    times = await _repeated(search, world, seconds)
    return _figures(times, time.process_time() - before)


async def _repeated(
    search: Callable[[NDArray[np.float32]], Awaitable[object]], world: World, seconds: float
) -> list[float]:
    times: list[float] = []
    while sum(times) < seconds:
        queries = world.queries(_BATCH)
        began = time.perf_counter()
        await search(queries)
        times.append(time.perf_counter() - began)
    return times


def _figures(times: Sequence[float], processor_seconds: float) -> Figures:
    queries = _BATCH * len(times)
    return {
        "queries": queries / sum(times),
        "p99": 1000 * percentile(times, 0.99),
        "processor": 1e6 * processor_seconds / queries,
    }


async def _nearest(world: World, queries: NDArray[np.float32]) -> list[list[str]]:
    found = await world.comparison.nearest(queries, version=VERSION, k=_K, min_cosine=-1.0)
    return [[event.event_id for event in near] for near in found]


@asynccontextmanager
async def _world(known: Embedded) -> AsyncIterator[World]:
    with tempfile.TemporaryDirectory(prefix="seawall-index-") as name:
        folder = Path(name)
        np.save(folder / VECTORS, known.vectors.astype(np.float16))
        redis = RedisServer(port=Ports().take(name="Redis"), folder=folder)
        segment = max(256, len(known.vectors) // 2)
        command = [sys.executable, "-m", "benchmarks.index_host", name, redis.url, str(segment)]
        process = ChildProcess("index", command, env=dict(os.environ), log=folder / "index.log")
        comparison = SharedComparison(socket_of(folder), timeout_s=_FOUND_IN_S)
        looking = asyncio.create_task(comparison.run())
        store = connect(redis.url, timeout_ms=5_000)
        try:
            redis.start()
            redis.wait_ready()
            process.start()
            async with asyncio.timeout(_BUILT_IN_S):
                while not comparison.caught_up.is_set():
                    process.check()
                    await asyncio.sleep(0.05)
            built = Built(**orjson.loads((folder / BUILT).read_bytes()))
            yield World(known, comparison, store, process, built)
        finally:
            await end([looking])
            await store.aclose()
            process.stop()
            redis.stop()


def _unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit.astype(np.float32)
