"""What Redis holds, and the two states in which it takes no writes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio as aioredis

State = dict[bytes, tuple[bytes, bool]]


async def state_of(store: aioredis.Redis) -> State:
    """Every key with its exact content (groups and pending entries too), and whether it expires."""
    keys: list[bytes] = sorted(await store.keys("*"))  # type: ignore[arg-type]
    return {key: (await store.dump(key), await store.pttl(key) > 0) for key in keys}  # type: ignore[misc]


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
