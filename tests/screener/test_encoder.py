from __future__ import annotations

import numpy as np
import pytest
import redis.asyncio as aioredis
from prometheus_client import CollectorRegistry

from pipeline.errors import ModelUnavailable
from pipeline.keys import ONLY
from pipeline.store import connect
from screener.cache import EmbeddingCache
from screener.encoder import Encoder, portions
from screener.metrics import ScreenerMetrics
from tests.fixtures.digests import DIGESTS
from tests.fixtures.model import ModelInMemory, vector_of


def an_encoder(model: ModelInMemory, client: aioredis.Redis) -> Encoder:
    return Encoder(
        model, EmbeddingCache(client, ONLY, DIGESTS, ttl_seconds=60), ScreenerMetrics(CollectorRegistry())
    )


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


async def test_a_batch_of_long_texts_takes_several_calls_and_keeps_its_order(store: aioredis.Redis) -> None:
    model = ModelInMemory()
    texts = ["short", *(letter * 9_000 for letter in "abc"), "last"]
    encoded = await an_encoder(model, store).encode(texts, timeout_s=1)
    assert model.asked == [texts[:2], texts[2:3], texts[3:]]
    for row, text in enumerate(texts):
        assert np.array_equal(encoded.embeddings[row], vector_of(text))


def test_portions_hold_every_row_once_and_are_bounded() -> None:
    texts = ["x" * length for length in (10_000, 200, 9_000, 1_000, 501, 30_000, 2)]
    assert portions(texts, range(7)) == [[0, 1], [2, 3], [4], [5, 6]]
    assert portions(texts, [2, 5]) == [[2], [5]]
    assert portions(texts, []) == []


def test_short_texts_are_one_call_however_many() -> None:
    assert portions(["x" * 500] * 256, range(256)) == [list(range(256))]


async def test_what_fails_midway_goes_on_where_it_ended(store: aioredis.Redis) -> None:
    model = ModelInMemory()
    encoder = an_encoder(model, store)
    await encoder.warm_up(timeout_s=1)
    texts = [letter * 15_000 for letter in "ab"]
    model.poison = texts[1]
    with pytest.raises(ValueError, match="poison"):
        await encoder.encode(texts, timeout_s=1)
    model.poison = None
    encoded = await encoder.encode(texts, timeout_s=1)
    assert encoded.cached.tolist() == [True, False]


async def test_a_version_that_changes_between_two_calls_mixes_nothing(store: aioredis.Redis) -> None:
    class ChangesUnderWay(ModelInMemory):
        async def infer(self, texts, *, timeout_s):  # type: ignore[no-untyped-def]  # as in the parent
            if len(self.asked) == 1:
                self.version = 2
            return await super().infer(texts, timeout_s=timeout_s)

    model = ChangesUnderWay(version=1)
    texts = [letter * 15_000 for letter in "ab"]
    encoded = await an_encoder(model, store).encode(texts, timeout_s=1)
    assert encoded.version == 2
    assert model.asked == [texts[:1], texts[1:], texts[:1], texts[1:]]
