"""The network of chaos, before a real Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
import redis.asyncio as aioredis

from pipeline.errors import StoreUnavailable
from pipeline.store import connect, store_errors
from scripts.chaos.proxy import Proxy
from scripts.system.ports import HOST, Ports
from scripts.system.redis import RedisServer


@pytest.fixture
def network(redis_server: RedisServer) -> Iterator[Proxy]:
    with Proxy(port=Ports().take(name="the network"), target_port=redis_server.port) as proxy:
        yield proxy


@pytest.fixture
async def far(network: Proxy, store: aioredis.Redis) -> AsyncIterator[aioredis.Redis]:
    """A client of the same Redis as `store`, beyond the network."""
    client = connect(f"redis://{HOST}:{network.port}/0", timeout_ms=2_000)
    yield client
    await client.aclose()


async def test_a_whole_network_changes_nothing(far: aioredis.Redis, store: aioredis.Redis) -> None:
    value = bytes(range(256)) * 4_000  # more than one packet
    await far.set("key", value)
    assert await store.get("key") == value
    assert await far.get("key") == value


async def test_a_slow_network_delays_each_call(network: Proxy, far: aioredis.Redis) -> None:
    await far.ping()
    network.delay(0.2)
    began = time.monotonic()
    await far.ping()
    await far.ping()
    assert time.monotonic() - began >= 0.4
    network.delay(3.0)
    with pytest.raises(StoreUnavailable), store_errors():
        await far.ping()
    network.heal()
    assert await far.ping()


async def test_lost_answers_are_of_calls_that_were_carried_out(
    network: Proxy, far: aioredis.Redis, store: aioredis.Redis
) -> None:
    await far.set("number", 1)
    network.lose_answers()
    with pytest.raises(StoreUnavailable), store_errors():
        await far.incr("number")
    assert await store.get("number") == b"2"
    network.heal()
    assert await far.get("number") == b"2"


async def test_a_connection_that_lost_an_answer_is_cut(network: Proxy, store: aioredis.Redis) -> None:
    reader, writer = await asyncio.open_connection(HOST, network.port)
    network.lose_answers()
    await store.set("asked", 0)
    writer.write(b"INCR asked\r\n")
    while await store.get("asked") != b"1":
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)  # for the answer to reach the place where it is lost
    network.heal()
    with suppress(ConnectionResetError):  # an end as well
        assert await reader.read() == b""
    writer.close()


async def test_cut_connections_are_made_anew(network: Proxy, far: aioredis.Redis) -> None:
    waiting = asyncio.ensure_future(far.xread({"nothing": "$"}, block=1_500))
    await far.ping()
    await asyncio.sleep(0.05)
    network.cut()
    with pytest.raises(StoreUnavailable), store_errors():
        await waiting
    assert await far.ping()


async def test_with_nobody_behind_it_connections_end() -> None:
    ports = Ports()
    with Proxy(port=ports.take(name="the network"), target_port=ports.take(name="nobody")) as proxy:
        client = connect(f"redis://{HOST}:{proxy.port}/0", timeout_ms=2_000)
        with pytest.raises(StoreUnavailable), store_errors():
            await client.ping()
        await client.aclose()
