"""A feed with snapshots, on a real stream: when they are taken, and what is read at a start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import redis.asyncio as aioredis
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from pipeline.keys import ONLY
from pipeline.tasks import end
from screener.metrics import ScreenerMetrics
from screener.similarity.feed import IndexFeed, Sealer
from screener.similarity.index import SimilarityIndex
from screener.similarity.snapshot_folder import SnapshotFolder
from screener.similarity.snapshots import Snapshots
from screener.similarity.versions import VersionedIndexes
from tests.fixtures.redis_state import entries_of
from tests.screener.similarity.test_feed import a_seen, append, until
from tests.screener.similarity.test_snapshot_folder import disk_with_room_for


@dataclass
class Clock:
    """Stands still until it is set."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Screener:
    """The similarity part of one process."""

    indexes: VersionedIndexes
    snapshots: Snapshots
    registry: CollectorRegistry
    clock: Clock

    def count(self, metric: str, outcome: str) -> float:
        return self.registry.get_sample_value(metric, {"outcome": outcome}) or 0.0


@asynccontextmanager
async def started(store: aioredis.Redis, path: Path) -> AsyncIterator[Screener]:
    """A screener that has caught up; it takes a snapshot at once where it has read none."""
    seal_later = Sealer()
    indexes = VersionedIndexes(
        lambda: SimilarityIndex(
            max_events=10_000, segment_events=1_000, window_ms=60_000, seal_later=seal_later
        )
    )
    registry = CollectorRegistry()
    metrics = ScreenerMetrics(registry)
    folder = SnapshotFolder(path)
    clock = Clock()
    snapshots = Snapshots(folder, metrics, interval_s=10, clock_s=clock)
    screener = Screener(indexes, snapshots, registry, clock)
    feed = IndexFeed(store, ONLY, indexes, metrics, snapshots)
    task = asyncio.create_task(feed.run())
    try:
        await asyncio.wait_for(feed.caught_up.wait(), 30)
        yield screener
    finally:
        await end([task])
        await snapshots.written()


async def written(screener: Screener, times: int) -> None:
    await until(lambda: screener.count("snapshots_written_total", "written") == times)


async def two_snapshots(store: aioredis.Redis, path: Path) -> list[str]:
    """Of two events, then of four; the ids of all entries. The second and the fourth are then deleted.

    So whoever knows them has read them in a snapshot.
    """
    for i in range(2):
        await append(store, a_seen(i))
    async with started(store, path) as screener:
        await written(screener, 1)
        for i in range(2, 4):
            await append(store, a_seen(i))
        await until(lambda: len(screener.indexes) == 4)
        screener.clock.now_s = 10.0
        await written(screener, 2)
    ids = [entry_id for entry_id, _ in await entries_of(store, ONLY.embeddings)]
    await store.xdel(ONLY.embeddings, ids[1], ids[3])
    await append(store, a_seen(4))
    return ids


async def known(screener: Screener) -> set[str]:
    vectors = [a_seen(i).vector[None] for i in range(6)]
    found = [await screener.indexes.search(v, version=1, k=1, min_cosine=0.9) for v in vectors]
    return {near.event_id for [hits] in found for near in hits}


async def test_a_start_reads_the_newest_and_follows_the_stream_from_there(
    store: aioredis.Redis, tmp_path: Path
) -> None:
    await two_snapshots(store, tmp_path)
    with capture_logs() as logs:
        async with started(store, tmp_path) as screener:
            assert await known(screener) == {"e0", "e1", "e2", "e3", "e4"}
            assert screener.count("snapshots_read_total", "restored") == 1
    [restored] = [line for line in logs if line["event"] == "snapshot_restored"]
    assert (restored["events"], restored["versions"]) == (4, [1])


async def test_a_damaged_one_is_told_and_the_one_before_is_read(
    store: aioredis.Redis, tmp_path: Path
) -> None:
    await two_snapshots(store, tmp_path)
    newest = SnapshotFolder(tmp_path).newest_first()[0]
    newest.write_bytes(newest.read_bytes()[:-100])
    with capture_logs() as logs:
        async with started(store, tmp_path) as screener:
            assert await known(screener) == {"e0", "e1", "e2", "e4"}
            assert screener.count("snapshots_read_total", "damaged") == 1
            assert screener.count("snapshots_read_total", "restored") == 1
    assert {"event": "snapshot_not_read", "snapshot": newest.name, "reason": "damaged"} in [
        {key: line[key] for key in ("event", "snapshot", "reason") if key in line} for line in logs
    ]


async def test_without_a_good_one_the_whole_stream_is_read(store: aioredis.Redis, tmp_path: Path) -> None:
    await two_snapshots(store, tmp_path)
    for path in SnapshotFolder(tmp_path).newest_first():
        path.write_bytes(path.read_bytes()[: len(b"SEAWALL1")] + b"\xff" * 100)
    async with started(store, tmp_path) as screener:
        assert await known(screener) == {"e0", "e2", "e4"}
        assert screener.count("snapshots_read_total", "other_format") == 2


async def test_none_is_read_that_the_stream_was_trimmed_past(store: aioredis.Redis, tmp_path: Path) -> None:
    await two_snapshots(store, tmp_path)
    await append(store, a_seen(5))
    await store.xtrim(ONLY.embeddings, maxlen=1, approximate=False)
    async with started(store, tmp_path) as screener:
        assert await known(screener) == {"e5"}
        assert screener.count("snapshots_read_total", "outrun") == 2


async def test_none_is_read_that_the_stream_has_not_come_to(store: aioredis.Redis, tmp_path: Path) -> None:
    """Redis came back empty, and nothing that it lost may return by the way of a snapshot."""
    await two_snapshots(store, tmp_path)
    await store.delete(ONLY.embeddings)
    await store.xadd(ONLY.embeddings, a_seen(5).encode(), id="1-0")  # type: ignore[arg-type]
    async with started(store, tmp_path) as screener:
        assert await known(screener) == {"e5"}
        assert screener.count("snapshots_read_total", "other_stream") == 2
    await store.delete(ONLY.embeddings)
    async with started(store, tmp_path) as screener:
        assert await known(screener) == set()


async def test_with_a_full_disk_the_screener_goes_on_and_tries_again(
    store: aioredis.Redis, tmp_path: Path
) -> None:
    await append(store, a_seen(0))
    with capture_logs() as logs:
        async with started(store, tmp_path) as screener:
            await written(screener, 1)
            with disk_with_room_for(500):
                await append(store, a_seen(1))
                await until(lambda: len(screener.indexes) == 2)
                screener.clock.now_s = 10.0
                await until(lambda: screener.count("snapshots_written_total", "failed") == 1)
            assert len(SnapshotFolder(tmp_path).newest_first()) == 1
            screener.clock.now_s = 20.0  # there is no news, but what there is has not been written
            await written(screener, 2)
    assert {"event": "snapshot_not_written", "reason": "EFBIG", "log_level": "warning"} in logs


async def test_none_is_taken_before_its_time_or_without_news(store: aioredis.Redis, tmp_path: Path) -> None:
    await append(store, a_seen(0))
    async with started(store, tmp_path) as screener:
        await written(screener, 1)
        await append(store, a_seen(1))
        await until(lambda: len(screener.indexes) == 2)
        screener.clock.now_s = 9.9
        await screener.snapshots.take_if_due(b"9" * 15 + b"-0", screener.indexes)
        assert screener.count("snapshots_written_total", "written") == 1
        screener.clock.now_s = 10.0
        await written(screener, 2)
    async with started(store, tmp_path) as screener:
        screener.clock.now_s = 100.0
        [newest, _] = SnapshotFolder(tmp_path).newest_first()
        position = SnapshotFolder(tmp_path).read(newest).position
        await screener.snapshots.take_if_due(position, screener.indexes)
        assert screener.count("snapshots_written_total", "written") == 0
