"""`seawall bench restart`: how soon a screener's index is there again, with a snapshot and without.

The stream holds so many vectors, a fifth of them in families of two. One index reads it, seals its segments,
and has a snapshot written, while a ticker looks for how long the event loop stands still. Then starts are
measured in turns: from the stream alone, and from the snapshot, each until all is found (`ready`) and until
every full segment has its graph (`sealed`). On a busy machine the processor's time (`cpu`) tells more.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import redis.asyncio as aioredis
from prometheus_client import CollectorRegistry

from benchmarks.turns import Figures, Series, in_turns
from pipeline.keys import ONLY
from pipeline.store import connect
from pipeline.tasks import end
from pipeline.verdict import Category
from screener.metrics import ScreenerMetrics
from screener.model import EMBEDDING_WIDTH
from screener.settings import ScreenerSettings
from screener.similarity.family import Standing
from screener.similarity.feed import IndexFeed, Sealer
from screener.similarity.index import SimilarityIndex
from screener.similarity.seen import Said, Seen
from screener.similarity.snapshot_folder import SnapshotFolder
from screener.similarity.snapshots import Snapshots
from screener.similarity.versions import VersionedIndexes

_APPENDED_AT_ONCE = 1_000
_TICK_S = 0.001


@dataclass(frozen=True, slots=True)
class RestartFigures:
    """What was measured.

    Attributes:
        vectors: how many texts the index holds.
        snapshot_mb: size of the file, in MB of 10^6 bytes.
        capture_ms: how long searches wait while a snapshot is taken.
        write_s: from then until it is on the disk.
        stall_ms: how long the event loop stood still at most, meanwhile.
        starts: by `whole stream` and `snapshot`: ready and sealed, seconds from the start and of processor.
    """

    vectors: int
    snapshot_mb: float
    capture_ms: float
    write_s: float
    stall_ms: float
    starts: Mapping[str, Mapping[str, Series]]


async def measure(redis_url: str, *, vectors: int, rounds: int) -> RestartFigures:
    """Measures on a Redis that is empty."""
    store = connect(redis_url, timeout_ms=60_000)
    with tempfile.TemporaryDirectory(prefix="seawall-snapshots-") as name:
        path = Path(name)
        try:
            await _append(store, vectors)
            async with _started(store, vectors, None) as (indexes, seal_later, _):
                await seal_later.done()
                held = len(indexes)
                async with _longest_stall() as stall_ms:
                    began = time.perf_counter()
                    await indexes.capture()
                    capture_ms = 1000 * (time.perf_counter() - began)
                    began = time.perf_counter()
                    await _take(store, indexes, path)
                    write_s = time.perf_counter() - began - capture_ms / 1000
            [written] = SnapshotFolder(path).newest_first()

            def start_from(folder: Path | None) -> Callable[[], Awaitable[Figures]]:
                return lambda: _start(store, vectors, folder)

            starts = await in_turns(
                {"whole stream": start_from(None), "snapshot": start_from(path)}, rounds=rounds
            )
            return RestartFigures(
                held, written.stat().st_size / 1e6, capture_ms, write_s, max(stall_ms), starts
            )
        finally:
            await store.aclose()


async def _append(store: aioredis.Redis, count: int) -> None:
    chance = np.random.default_rng(1)
    for at in range(0, count, _APPENDED_AT_ONCE):
        pipe = store.pipeline(transaction=False)
        rows = chance.standard_normal((min(_APPENDED_AT_ONCE, count - at), EMBEDDING_WIDTH))
        for i, row in enumerate(rows.astype(np.float32), start=at):
            first = i - i % 10  # the second of ten belongs to the first one's family
            near = Standing(f"e{first}", f"e{first}", began_ms=first, events=1, authors=1)
            seen = Seen(
                event_id=f"e{i}",
                category=Category.LOW_RISK,
                model_version=1,
                author=i.to_bytes(8, "big"),
                text=i.to_bytes(16, "big"),
                seen_at_ms=i,
                vector=row / np.linalg.norm(row),
                said=Said(informative=8, families=(near,) if i % 10 == 1 else ()),
            )
            pipe.xadd(ONLY.embeddings, seen.encode())  # type: ignore[arg-type]
        await pipe.execute()


@asynccontextmanager
async def _started(
    store: aioredis.Redis, vectors: int, folder: Path | None
) -> AsyncIterator[tuple[VersionedIndexes, Sealer, Snapshots | None]]:
    """An index that has caught up, with the segments that a screener has by default."""
    fields = ScreenerSettings.model_fields
    seal_later = Sealer()
    indexes = VersionedIndexes(
        lambda: SimilarityIndex(
            max_events=vectors,
            segment_events=int(fields["similarity_segment_events"].default),
            window_ms=1000 * int(fields["flood_window_seconds"].default),
            seal_later=seal_later,
        )
    )
    metrics = ScreenerMetrics(CollectorRegistry())
    snapshots = Snapshots(SnapshotFolder(folder), metrics, interval_s=3_600) if folder else None
    feed = IndexFeed(store, ONLY, indexes, metrics, snapshots)
    feeding = asyncio.create_task(feed.run())
    try:
        await feed.caught_up.wait()
        yield indexes, seal_later, snapshots
    finally:
        await end([feeding])


async def _take(store: aioredis.Redis, indexes: VersionedIndexes, path: Path) -> None:
    snapshots = Snapshots(SnapshotFolder(path), ScreenerMetrics(CollectorRegistry()), interval_s=3_600)
    newest = await store.xrevrange(ONLY.embeddings, count=1)
    await snapshots.take_if_due(newest[0][0], indexes)  # type: ignore[index,arg-type]  # bytes, as `connect` asks
    await snapshots.written()


async def _start(store: aioredis.Redis, vectors: int, folder: Path | None) -> Figures:
    began, cpu_began = time.perf_counter(), time.process_time()
    async with _started(store, vectors, folder) as (_, seal_later, snapshots):
        ready, ready_cpu = time.perf_counter() - began, time.process_time() - cpu_began
        await seal_later.done()
        sealed, sealed_cpu = time.perf_counter() - began, time.process_time() - cpu_began
        if snapshots is not None:
            await snapshots.written()
    return {"ready": ready, "ready_cpu": ready_cpu, "sealed": sealed, "sealed_cpu": sealed_cpu}


@asynccontextmanager
async def _longest_stall() -> AsyncIterator[list[float]]:
    """Within the block, by how many milliseconds each tick came too late."""
    late_ms = [0.0]

    async def tick() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_TICK_S)
            late_ms.append(1000 * (time.perf_counter() - began - _TICK_S))

    ticking = asyncio.create_task(tick())
    try:
        yield late_ms
    finally:
        await end([ticking])
