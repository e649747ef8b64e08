"""What Redis holds, and the two states in which it takes no writes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio as aioredis

from pipeline.store import Entry

State = dict[bytes, tuple[bytes, bool]]


async def state_of(store: aioredis.Redis) -> State:
    """Every key with its exact content (groups and pending entries too), and whether it expires."""
    keys: list[bytes] = sorted(await store.keys("*"))  # type: ignore[arg-type]
    return {key: (await store.dump(key), await store.pttl(key) > 0) for key in keys}  # type: ignore[misc]


async def entries_of(store: aioredis.Redis, stream: str) -> list[tuple[str, dict[bytes, bytes]]]:
    """The entries of a stream: id and fields."""
    found: list[Entry] = await store.xrange(stream)  # type: ignore[assignment]
    return [(entry_id.decode(), fields) for entry_id, fields in found]


async def event_ids_in(store: aioredis.Redis, stream: str) -> list[str]:
    """The events of a stream, in its order."""
    return [fields[b"event_id"].decode() for _, fields in await entries_of(store, stream)]


async def is_in(store: aioredis.Redis, stream: str, entry_id: str) -> bool:
    """Whether a stream holds this entry."""
    return bool(await store.xrange(stream, entry_id, entry_id))


async def keys_like(store: aioredis.Redis, pattern: str) -> set[str]:
    """The names of keys."""
    names: list[bytes] = await store.keys(pattern)  # type: ignore[assignment]
    return {name.decode() for name in names}


@asynccontextmanager
async def out_of_memory(store: aioredis.Redis) -> AsyncIterator[None]:
    """Redis is past its memory limit and evicts nothing."""
    await store.config_set("maxmemory", "1")
    try:
        yield
    finally:
        await store.config_set("maxmemory", "0")


@asynccontextmanager
async def read_only(store: aioredis.Redis) -> AsyncIterator[None]:
    """Redis is the replica of a master that is not there."""
    await store.execute_command("REPLICAOF", "127.0.0.1", "1")  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        await store.execute_command("REPLICAOF", "NO", "ONE")  # type: ignore[no-untyped-call]
