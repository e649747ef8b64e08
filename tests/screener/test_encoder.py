from __future__ import annotations

import pytest
import redis.asyncio as aioredis
from prometheus_client import CollectorRegistry

from pipeline.errors import ModelUnavailable
from pipeline.keys import ONLY
from pipeline.store import connect
from screener.cache import EmbeddingCache
from screener.encoder import Encoder
from screener.metrics import ScreenerMetrics
from tests.fixtures.model import ModelInMemory, vector_of


def an_encoder(model: ModelInMemory, client: aioredis.Redis) -> Encoder:
    return Encoder(model, EmbeddingCache(client, ONLY, ttl_seconds=60), ScreenerMetrics(CollectorRegistry()))


async def test_asks_the_model_for_what_the_cache_has_not(store: aioredis.Redis) -> None:
    model = ModelInMemory()
    encoder = an_encoder(model, store)
    await encoder.encode(["a", "b"], timeout_s=1)
    encoded = await encoder.encode(["b", "c", "a"], timeout_s=1)
    assert model.asked == [["a", "b"], ["c"]]
    assert encoded.cached.tolist() == [True, False, True]
    for row, text in enumerate(["b", "c", "a"]):
        assert float(encoded.embeddings[row] @ vector_of(text)) == pytest.approx(1, abs=1e-3)


async def test_a_new_version_is_asked_for_everything(store: aioredis.Redis) -> None:
    model = ModelInMemory(version=1)
    encoder = an_encoder(model, store)
    await encoder.encode(["a"], timeout_s=1)
    model.version = 2
    encoded = await encoder.encode(["a"], timeout_s=1)
    assert (encoded.version, encoded.cached.tolist()) == (2, [False])


async def test_a_version_that_changes_under_way_mixes_nothing(store: aioredis.Redis) -> None:
    class ChangesUnderWay(ModelInMemory):
        async def infer(self, texts, *, timeout_s):  # type: ignore[no-untyped-def]  # as in the parent
            if len(self.asked) == 1:
                self.version = 2
            return await super().infer(texts, timeout_s=timeout_s)

    model = ChangesUnderWay(version=1)
    encoder = an_encoder(model, store)
    await encoder.encode(["a"], timeout_s=1)
    encoded = await encoder.encode(["a", "b"], timeout_s=1)  # `a` is cached of version 1, `b` comes from 2
    assert (encoded.version, encoded.cached.tolist()) == (2, [False, False])
    assert model.asked[-1] == ["a", "b"]


async def test_a_cache_that_is_away_is_an_empty_one() -> None:
    client = connect("redis://127.0.0.1:1/0", timeout_ms=200)
    encoder = an_encoder(ModelInMemory(), client)
    for _ in range(2):
        assert (await encoder.encode(["a"], timeout_s=1)).cached.tolist() == [False]
    await client.aclose()


async def test_says_when_the_model_is_away(store: aioredis.Redis) -> None:
    model = ModelInMemory()
    model.fails_with = ModelUnavailable("Triton is away")
    with pytest.raises(ModelUnavailable):
        await an_encoder(model, store).encode(["a"], timeout_s=1)
