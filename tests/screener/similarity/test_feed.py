from __future__ import annotations

import asyncio

import numpy as np
import redis.asyncio as aioredis
from prometheus_client import CollectorRegistry

from pipeline.keys import ONLY
from pipeline.verdict import Category
from screener.metrics import ScreenerMetrics
from screener.model import EMBEDDING_WIDTH
from screener.similarity.feed import IndexFeed, Sealer
from screener.similarity.index import SimilarityIndex
from screener.similarity.seen import Seen
from screener.similarity.versions import VersionedIndexes


def a_seen(i: int) -> Seen:
    vector = np.zeros(EMBEDDING_WIDTH, np.float32)
    vector[i] = 1.0
    return Seen(f"e{i}", Category.SPAM, 1, b"a" * 8, i.to_bytes(16, "big"), i, vector)


def a_feed(store: aioredis.Redis) -> tuple[VersionedIndexes, IndexFeed]:
    seal_later = Sealer()
    index = VersionedIndexes(
        lambda: SimilarityIndex(
            max_events=10_000, segment_events=1_000, window_ms=60_000, seal_later=seal_later
        )
    )
    return index, IndexFeed(store, ONLY, index, ScreenerMetrics(CollectorRegistry()))


async def append(store: aioredis.Redis, seen: Seen) -> None:
    await store.xadd(ONLY.embeddings, seen.encode())  # type: ignore[arg-type]


async def until(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_reads_all_that_is_there_then_follows(store: aioredis.Redis) -> None:
    await append(store, a_seen(1))
    await append(store, a_seen(2))
    index, feed = a_feed(store)
    task = asyncio.create_task(feed.run())
    try:
        await asyncio.wait_for(feed.caught_up.wait(), 10)
        assert len(index) == 2
        await append(store, a_seen(3))
        await until(lambda: len(index) == 3)
        [[near]] = await index.search(a_seen(3).vector[None], version=1, k=1, min_cosine=0.9)
        assert near.event_id == "e3"
    finally:
        task.cancel()


async def test_what_is_too_old_leaves_the_index_as_it_leaves_the_stream(store: aioredis.Redis) -> None:
    for i in range(10):
        await append(store, a_seen(i))  # screened at `i` milliseconds
    index, _ = a_feed(store)
    feed = IndexFeed(
        store, ONLY, index, ScreenerMetrics(CollectorRegistry()), keep_ms=1_000, clock_ms=lambda: 1_004
    )
    task = asyncio.create_task(feed.run())
    try:
        await asyncio.wait_for(feed.caught_up.wait(), 10)
        vectors = [a_seen(i).vector[None] for i in range(10)]
        found = [await index.search(vector, version=1, k=1, min_cosine=0.9) for vector in vectors]
        assert [[near.event_id for near in hits] for [hits] in found] == [
            *[[] for _ in range(4)],
            *[[f"e{i}"] for i in range(4, 10)],
        ]
    finally:
        task.cancel()


async def test_two_replicas_see_the_same(store: aioredis.Redis) -> None:
    feeds = [a_feed(store) for _ in range(2)]
    tasks = [asyncio.create_task(feed.run()) for _, feed in feeds]
    try:
        for i in range(20):
            await append(store, a_seen(i))
        await until(lambda: all(len(index) == 20 for index, _ in feeds))
    finally:
        for task in tasks:
            task.cancel()


async def test_passes_over_an_entry_that_is_none(store: aioredis.Redis) -> None:
    await store.xadd(ONLY.embeddings, {"vector": b"short"})
    await append(store, a_seen(1))
    index, feed = a_feed(store)
    task = asyncio.create_task(feed.run())
    try:
        await until(lambda: len(index) == 1)
    finally:
        task.cancel()


async def test_an_empty_stream_is_caught_up_at_once(store: aioredis.Redis) -> None:
    _, feed = a_feed(store)
    task = asyncio.create_task(feed.run())
    try:
        await asyncio.wait_for(feed.caught_up.wait(), 10)
    finally:
        task.cancel()
