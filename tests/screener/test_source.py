from __future__ import annotations

import asyncio

import pytest
import redis.asyncio as aioredis

from pipeline.errors import StoreUnavailable
from pipeline.keys import GROUP, ONLY
from pipeline.store import connect
from screener.source import Entry, Source
from tests.fixtures.redis_state import out_of_memory


async def add(store: aioredis.Redis, event_id: str) -> str:
    entry_id: bytes = await store.xadd(ONLY.raw, {"event_id": event_id, "event": b"bytes"})  # type: ignore[assignment]
    return entry_id.decode()


async def test_reads_what_was_there_before_the_group(store: aioredis.Redis) -> None:
    entry_id = await add(store, "e1")
    source = Source(store, ONLY, consumer="a")
    await source.ensure_group()
    await source.ensure_group()  # twice does no harm
    assert await source.read(count=10, block_ms=10) == [Entry(entry_id, "e1", b"bytes")]
    assert await source.read(count=10, block_ms=10) == []


async def test_makes_the_group_anew_when_redis_came_back_empty(store: aioredis.Redis) -> None:
    source = Source(store, ONLY, consumer="a")
    await source.ensure_group()
    await store.flushall()
    await add(store, "e1")
    assert await source.read(count=10, block_ms=10) == []
    assert [entry.event_id for entry in await source.read(count=10, block_ms=10)] == ["e1"]


async def test_takes_over_what_another_has_held_for_long(store: aioredis.Redis) -> None:
    dead, alive = Source(store, ONLY, consumer="dead"), Source(store, ONLY, consumer="alive")
    await dead.ensure_group()
    await add(store, "e1")
    await dead.read(count=10, block_ms=10)
    assert await alive.claim(idle_ms=60_000, count=10) == []
    await asyncio.sleep(0.05)
    assert [entry.event_id for entry in await alive.claim(idle_ms=20, count=10)] == ["e1"]


async def test_does_not_take_over_what_was_moved(store: aioredis.Redis) -> None:
    source = Source(store, ONLY, consumer="a")
    await source.ensure_group()
    entry_id = await add(store, "e1")
    await source.read(count=10, block_ms=10)
    await store.xdel(ONLY.raw, entry_id)
    assert await source.claim(idle_ms=0, count=10) == []


async def test_notes_tries_of_what_is_there(store: aioredis.Redis) -> None:
    source = Source(store, ONLY, consumer="a")
    entry_id = await add(store, "e1")
    assert await source.tries(entry_id) == 0
    for tries in (1, 2, 2, 1):  # told again after an answer that was lost, and taken back
        assert await source.note_tries(entry_id, tries)
        assert await source.tries(entry_id) == tries
    assert await source.note_tries(entry_id, 0)
    assert await store.hlen(ONLY.attempts) == 0


async def test_keeps_no_tries_of_what_is_gone(store: aioredis.Redis) -> None:
    source = Source(store, ONLY, consumer="a")
    entry_id = await add(store, "e1")
    await source.note_tries(entry_id, 1)
    await store.xdel(ONLY.raw, entry_id)
    assert not await source.note_tries(entry_id, 2)
    assert await store.hlen(ONLY.attempts) == 0


async def test_tries_are_noted_when_memory_is_short(store: aioredis.Redis) -> None:
    source = Source(store, ONLY, consumer="a")
    entry_id = await add(store, "e1")
    await source.note_tries(entry_id, 1)
    async with out_of_memory(store):
        assert await source.note_tries(entry_id, 2)
    assert await source.tries(entry_id) == 2


async def test_suspects_are_those_tried_alone_or_taken_over_again(store: aioredis.Redis) -> None:
    source = Source(store, ONLY, consumer="a")
    await source.ensure_group()
    first, second = await add(store, "e1"), await add(store, "e2")
    assert await source.suspects([]) == set()
    for expected in (set(), set(), {first, second}):  # read, taken over, taken over again
        entries = await source.read(count=2, block_ms=10) or await source.claim(idle_ms=0, count=2)
        assert await source.suspects(entries) == expected
    await store.xgroup_destroy(ONLY.raw, GROUP)
    assert await source.suspects(entries) == set()
    await source.ensure_group()
    entries = await source.read(count=2, block_ms=10)
    await source.note_tries(second, 1)
    assert await source.suspects(entries) == {second}


async def test_depth_is_what_has_no_verdict(store: aioredis.Redis) -> None:
    source = Source(store, ONLY, consumer="a")
    await source.ensure_group()
    await add(store, "e1")
    await add(store, "e2")
    await source.read(count=1, block_ms=10)
    assert await source.depth() == 2
    assert (await store.xpending(ONLY.raw, GROUP))["pending"] == 1


async def test_says_when_redis_is_away() -> None:
    client = connect("redis://127.0.0.1:1/0", timeout_ms=200)
    with pytest.raises(StoreUnavailable):
        await Source(client, ONLY, consumer="a").read(count=1, block_ms=10)
    await client.aclose()


def test_an_entry_without_fields_is_taken_as_it_is() -> None:
    assert Entry.from_redis((b"5-1", {})) == Entry("5-1", "", b"")
    assert Entry("1700000000123-1", "", b"").admitted_at_ms == 1_700_000_000_123
