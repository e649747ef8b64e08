"""What the cache answered is remembered for a while, by the model's version."""

from __future__ import annotations

import numpy as np
import pytest
import redis.asyncio as aioredis

from pipeline.errors import StoreUnavailable
from pipeline.keys import ONLY
from pipeline.store import connect
from screener.cache import CachedOutput, EmbeddingCache
from screener.model import OUTPUTS, ModelVersion
from screener.recent import KEEP_MS
from screener.recent_outputs import RecentOutputs
from tests.fixtures.digests import DIGESTS
from tests.fixtures.model import vector_of

V1, V2 = ModelVersion(1, "cpu:model.onnx"), ModelVersion(2, "cpu:model.onnx")


def output(text: str) -> CachedOutput:
    return CachedOutput(vector_of(text), np.linspace(0, 1, OUTPUTS, dtype=np.float32))


def a_cache(store: aioredis.Redis) -> EmbeddingCache:
    return EmbeddingCache(store, ONLY, DIGESTS, ttl_seconds=60)


async def test_answers_as_the_cache_behind_does_and_then_without_it(store: aioredis.Redis) -> None:
    behind = a_cache(store)
    recent = RecentOutputs(behind)
    await recent.put(V1, [("a", output("a")), ("b", output("b"))])
    first = await recent.get(V1, ["a", "new", "b"])
    assert [found is None for found in first] == [False, True, False]
    expected = await behind.get(V1, ["a", "b"])
    await behind.forget(V1, ["a", "b"])
    for known, told in zip(await recent.get(V1, ["a", "b"]), expected, strict=True):
        assert known is not None
        assert told is not None
        assert np.array_equal(known.embedding, told.embedding)
        assert np.array_equal(known.probabilities, told.probabilities)


async def test_what_is_remembered_of_a_version_is_not_told_of_another(store: aioredis.Redis) -> None:
    recent = RecentOutputs(a_cache(store))
    await recent.put(V1, [("a", output("a"))])
    assert await recent.get(V1, ["a"]) != [None]
    assert await recent.get(V2, ["a"]) == [None]
    assert await recent.get(V1, ["a"]) != [None]


async def test_a_text_that_nobody_repeats_is_forgotten(store: aioredis.Redis) -> None:
    now_ms = KEEP_MS
    behind = a_cache(store)
    recent = RecentOutputs(behind, clock_ms=lambda: now_ms)
    await recent.put(V1, [("a", output("a"))])
    assert await recent.get(V1, ["a"]) != [None]
    await behind.forget(V1, ["a"])
    for now_ms in (2 * KEEP_MS, 3 * KEEP_MS):  # noqa: B007  # the clock reads it
        await recent.get(V1, [])
    assert await recent.get(V1, ["a"]) == [None]


async def test_with_redis_away_it_answers_for_what_it_has_alone(store: aioredis.Redis) -> None:
    away = connect("redis://127.0.0.1:1/0", timeout_ms=100)
    try:
        recent = RecentOutputs(a_cache(away))
        with pytest.raises(StoreUnavailable):
            await recent.get(V1, ["a"])
    finally:
        await away.aclose()
