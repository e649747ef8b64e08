from __future__ import annotations

import numpy as np
import pytest
import redis.asyncio as aioredis

from pipeline.errors import StoreUnavailable
from pipeline.keys import ONLY
from pipeline.store import connect
from screener.cache import CachedOutput, EmbeddingCache
from screener.model import OUTPUTS, ModelVersion
from tests.fixtures.digests import DIGESTS
from tests.fixtures.model import vector_of

V1 = ModelVersion(1, "cpu:model.onnx")


def output(text: str) -> CachedOutput:
    return CachedOutput(vector_of(text), np.linspace(0, 1, OUTPUTS, dtype=np.float32))


async def test_gives_back_what_it_was_given(store: aioredis.Redis) -> None:
    cache = EmbeddingCache(store, ONLY, DIGESTS, ttl_seconds=60)
    await cache.put(V1, [("hello", output("hello"))])
    [hit, miss] = await cache.get(V1, ["hello", "other"])
    assert miss is None
    assert hit is not None
    assert float(hit.embedding @ vector_of("hello")) == pytest.approx(1, abs=1e-3)
    assert (hit.probabilities == output("hello").probabilities).all()


@pytest.mark.parametrize("other", [ModelVersion(2, V1.precision), ModelVersion(1, "gpu:model_fp16.onnx")])
async def test_keeps_versions_and_precisions_apart(store: aioredis.Redis, other: ModelVersion) -> None:
    cache = EmbeddingCache(store, ONLY, DIGESTS, ttl_seconds=60)
    await cache.put(V1, [("hello", output("hello"))])
    assert await cache.get(other, ["hello"]) == [None]


async def test_keeps_ways_to_read_a_text_apart(
    store: aioredis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = EmbeddingCache(store, ONLY, DIGESTS, ttl_seconds=60)
    await cache.put(V1, [("hello", output("hello"))])
    monkeypatch.setattr("screener.cache.READING", b"another\0")
    assert await cache.get(V1, ["hello"]) == [None]


async def test_forgets_in_time(store: aioredis.Redis) -> None:
    await EmbeddingCache(store, ONLY, DIGESTS, ttl_seconds=60).put(V1, [("hello", output("hello"))])
    [key] = await store.keys("emb:*")
    assert 59_000 < await store.pttl(key) <= 60_000


async def test_takes_a_value_of_another_layout_for_a_miss(store: aioredis.Redis) -> None:
    cache = EmbeddingCache(store, ONLY, DIGESTS, ttl_seconds=60)
    await cache.put(V1, [("hello", output("hello"))])
    [key] = await store.keys("emb:*")
    await store.set(key, b"short")
    assert await cache.get(V1, ["hello"]) == [None]


async def test_says_when_redis_is_away() -> None:
    client = connect("redis://127.0.0.1:1/0", timeout_ms=200)
    with pytest.raises(StoreUnavailable):
        await EmbeddingCache(client, ONLY, DIGESTS, ttl_seconds=60).get(V1, ["hello"])
    await client.aclose()
