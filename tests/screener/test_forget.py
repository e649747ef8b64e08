"""Forgetting an author on a real Redis, with the indexes of two replicas that follow it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import redis.asyncio as aioredis
from prometheus_client import CollectorRegistry

from pipeline.audit import AuditLog
from pipeline.errors import ModelUnavailable, Overloaded
from pipeline.event import Platform
from pipeline.fingerprint import Digests
from pipeline.keys import ONLY
from pipeline.store import Entry
from pipeline.tasks import end
from screener.cache import CachedOutput, EmbeddingCache
from screener.forget import Author, Forgetting
from screener.metrics import ScreenerMetrics
from screener.model import ModelVersion
from screener.similarity.feed import IndexFeed, Sealer
from screener.similarity.index import SimilarityIndex
from screener.similarity.versions import VersionedIndexes
from tests.fixtures.digests import DIGESTS
from tests.fixtures.events import MakeEvent
from tests.fixtures.model import ModelInMemory, vector_of
from tests.fixtures.redis_state import entries_of, event_ids_in, keys_like
from tests.fixtures.screening import HEURISTICS, Bench

ANNA, BEN = "anna-the-author", "ben-the-author"
V1 = ModelVersion(1, "memory")
ANNA_ON_DISCORD = Author(ANNA, Platform.DISCORD)
HARMLESS, HARMFUL, POISON = "Has anybody seen the patch notes?", "Nobody wants to see it", "the poison"
STREAMS = (ONLY.reasoning_queue, ONLY.low_risk, ONLY.dead_letter, ONLY.embeddings)


@pytest.fixture
def bench(store: aioredis.Redis) -> Bench:
    found = Bench(store, claim_idle_ms=50)
    found.model.poison = POISON
    return found


@pytest.fixture
def cache(store: aioredis.Redis) -> EmbeddingCache:
    return EmbeddingCache(store, ONLY, DIGESTS, ttl_seconds=60)


def forgetting(
    store: aioredis.Redis,
    cache: EmbeddingCache,
    *,
    model: ModelInMemory | None = None,
    digests: Digests = DIGESTS,
) -> Forgetting:
    return Forgetting(
        store,
        ONLY,
        digests=digests,
        cache=cache,
        model=model or ModelInMemory(),
        heuristics=lambda: HEURISTICS,
    )


@asynccontextmanager
async def replica(store: aioredis.Redis) -> AsyncIterator[VersionedIndexes]:
    """A screener's index, which follows the stream for the block."""
    sealer = Sealer()
    indexes = VersionedIndexes(
        lambda: SimilarityIndex(max_events=1_000, segment_events=256, window_ms=600_000, seal_later=sealer)
    )
    feed = IndexFeed(store, ONLY, indexes, ScreenerMetrics(CollectorRegistry()))
    following = asyncio.create_task(feed.run())
    try:
        await asyncio.wait_for(feed.caught_up.wait(), 20)
        yield indexes
    finally:
        await end([following])


async def nearest(indexes: VersionedIndexes, text: str) -> list[str]:
    """The events of an index that said this text."""
    [found] = await indexes.search(vector_of(text)[None], version=1, k=5, min_cosine=0.99)
    return [neighbour.event_id for neighbour in found]


async def until_known(indexes: VersionedIndexes, text: str, event_ids: list[str]) -> None:
    async with asyncio.timeout(20):
        while await nearest(indexes, text) != event_ids:
            await asyncio.sleep(0.02)


async def until_length(store: aioredis.Redis, stream: str, n: int) -> None:
    async with asyncio.timeout(20):
        while await store.xlen(stream) != n:
            await asyncio.sleep(0.02)


async def everything_in(store: aioredis.Redis) -> bytes:
    """Every name and value of the Redis."""
    names: list[bytes] = await store.keys("*")  # type: ignore[assignment]  # bytes, as `connect` asks
    parts: list[bytes] = []
    for name in names:
        parts.append(name)
        kind = await store.type(name)
        if kind == b"stream":
            entries: list[Entry] = await store.xrange(name)  # type: ignore[assignment]
            parts += [text for _, fields in entries for pair in fields.items() for text in pair]
        elif kind == b"string":
            value: bytes | None = await store.get(name)  # type: ignore[assignment]
            parts.append(value or b"")
    return b"\n".join(parts)


async def screened(bench: Bench, make_event: MakeEvent) -> None:
    """Both authors have a verdict of each kind, and Anna a dead letter."""
    async with bench.running():
        await bench.admit(
            make_event(event_id="anna-low", author_id=ANNA, content=f"{HARMLESS} A"),
            make_event(event_id="ben-low", author_id=BEN, content=f"{HARMLESS} B"),
            make_event(event_id="anna-dead", author_id=ANNA, content=POISON),
        )
        await until_length(bench.store, ONLY.low_risk, 2)
        await until_length(bench.store, ONLY.dead_letter, 1)
        bench.model.probability = 0.99
        await bench.admit(
            make_event(event_id="anna-high", author_id=ANNA, content=f"{HARMFUL} A"),
            make_event(event_id="ben-high", author_id=BEN, content=f"{HARMFUL} B"),
        )
        await until_length(bench.store, ONLY.reasoning_queue, 2)


async def test_everything_of_the_author_goes_and_nothing_of_anybody_else(
    bench: Bench, cache: EmbeddingCache, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await screened(bench, make_event)
    answers = {
        text: CachedOutput(vector_of(text), vector_of(text)[:7]) for text in (f"{HARMFUL} A", f"{HARMFUL} B")
    }
    await cache.put(V1, list(answers.items()))
    async with replica(store) as one, replica(store) as other:
        for index in (one, other):
            await until_known(index, f"{HARMLESS} A", ["anna-low"])
            await until_known(index, f"{HARMFUL} A", ["anna-high"])
        assert ANNA.encode() in await everything_in(store)

        found = await forgetting(store, cache).forget(ANNA_ON_DISCORD, who="operator")

        assert found.removed == {
            ONLY.reasoning_queue: 1,
            ONLY.low_risk: 1,
            ONLY.dead_letter: 1,
            ONLY.embeddings: 2,
            "emb": 1,
        }
        assert found.waiting == 0
        for index in (one, other):
            await until_known(index, f"{HARMLESS} A", [])
            await until_known(index, f"{HARMFUL} A", [])
            assert await nearest(index, f"{HARMLESS} B") == ["ben-low"]
            assert await nearest(index, f"{HARMFUL} B") == ["ben-high"]
    left = await everything_in(store)
    assert ANNA.encode() not in left
    assert b"anna-" not in left
    assert BEN.encode() in left
    assert await event_ids_in(store, ONLY.reasoning_queue) == ["ben-high"]
    assert await event_ids_in(store, ONLY.low_risk) == ["ben-low"]
    assert await keys_like(store, "event:*") == {"event:ben-high", "event:ben-low"}
    assert len(await store.keys("fingerprint:*")) == 2
    assert [output is not None for output in await cache.get(V1, list(answers))] == [False, True]


async def test_a_replica_that_starts_later_has_not_heard_of_him(
    bench: Bench, cache: EmbeddingCache, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await screened(bench, make_event)
    await forgetting(store, cache).forget(ANNA_ON_DISCORD, who="operator")
    async with replica(store) as late:
        assert await nearest(late, f"{HARMFUL} B") == ["ben-high"]
        assert await nearest(late, f"{HARMFUL} A") == []


async def test_what_waits_is_left_and_said_and_goes_when_it_has_its_verdict(
    bench: Bench, cache: EmbeddingCache, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await bench.admit(make_event(event_id="anna-waits", author_id=ANNA))
    first = await forgetting(store, cache).forget(ANNA_ON_DISCORD, who="operator")
    assert (first.waiting, sum(first.removed.values())) == (1, 0)
    assert await event_ids_in(store, ONLY.raw) == ["anna-waits"]

    async with bench.running():
        assert [verdict.event_id for verdict in await bench.verdicts(1)] == ["anna-waits"]
    second = await forgetting(store, cache).forget(ANNA_ON_DISCORD, who="operator")
    assert (second.waiting, second.removed[ONLY.low_risk]) == (0, 1)
    assert ANNA.encode() not in await everything_in(store)


async def test_a_name_is_another_person_on_another_platform(
    bench: Bench, cache: EmbeddingCache, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    async with bench.running():
        await bench.admit(
            make_event(event_id="e1", author_id=ANNA, platform=Platform.DISCORD),
            make_event(event_id="e2", author_id=ANNA, platform=Platform.SLACK),
        )
        await bench.verdicts(2)
    await forgetting(store, cache).forget(ANNA_ON_DISCORD, who="operator")
    assert await event_ids_in(store, ONLY.low_risk) == ["e2"]

    everywhere = Author(ANNA, Platform.UNSPECIFIED)
    found = await forgetting(store, cache).forget(everywhere, who="operator")
    assert (found.removed[ONLY.low_risk], found.removed[ONLY.embeddings]) == (1, 1)
    assert await event_ids_in(store, ONLY.low_risk) == []


async def test_what_a_forgotten_author_says_again_is_new(
    bench: Bench, cache: EmbeddingCache, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    event = make_event(event_id="e1", author_id=ANNA)
    async with bench.running():
        await bench.admit(event)
        await bench.verdicts(1)
        assert await bench.admit(event) == [""]  # a duplicate
        await forgetting(store, cache).forget(ANNA_ON_DISCORD, who="operator")
        [entry_id] = await bench.admit(event)
        assert entry_id
        await bench.verdicts(1)


async def test_vectors_are_found_by_their_events_where_the_secret_was_changed(
    bench: Bench, cache: EmbeddingCache, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await screened(bench, make_event)
    changed = Digests("another secret of 32 characters or more")
    found = await forgetting(store, cache, digests=changed).forget(ANNA_ON_DISCORD, who="operator")
    assert found.removed[ONLY.embeddings] == 2


async def test_the_audit_record_says_who_and_how_much_and_not_whom(
    bench: Bench, cache: EmbeddingCache, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await screened(bench, make_event)
    await forgetting(store, cache).forget(ANNA_ON_DISCORD, who="operator")
    begun, done = [record async for record in AuditLog(store, ONLY).records()]
    assert begun.who == done.who == "operator"
    assert (begun.details["stage"], done.details["stage"]) == ("begun", "done")
    assert done.details[ONLY.low_risk] == 1
    target = DIGESTS.author(Platform.DISCORD, ANNA).hex()
    assert begun.target == done.target == f"author {target}"


async def test_one_author_at_a_time(cache: EmbeddingCache, store: aioredis.Redis) -> None:
    one = forgetting(store, cache)
    both = await asyncio.gather(
        *(one.forget(ANNA_ON_DISCORD, who="operator") for _ in range(2)), return_exceptions=True
    )
    assert [isinstance(result, Overloaded) for result in both] == [False, True]


async def test_without_a_model_nothing_is_touched(
    bench: Bench, cache: EmbeddingCache, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await screened(bench, make_event)
    before = {stream: await entries_of(store, stream) for stream in STREAMS}
    away = ModelInMemory()
    away.fails_with = ModelUnavailable("Triton is away")
    with pytest.raises(ModelUnavailable):
        await forgetting(store, cache, model=away).forget(ANNA_ON_DISCORD, who="operator")
    assert {stream: await entries_of(store, stream) for stream in STREAMS} == before
