from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

import pytest
import redis.asyncio as aioredis
import uvloop
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pipeline.errors import StoreUnavailable
from pipeline.store import connect, store_errors, store_ready
from scripts.system.redis import RedisServer
from tests.fixtures.redis_state import out_of_memory, read_only

WRITING_SCRIPT = "return redis.call('SET', KEYS[1], 'x')"


async def test_redis_that_answers_is_ready(store: aioredis.Redis) -> None:
    assert await store_ready(store)


async def test_a_command_without_memory_is_store_unavailable(store: aioredis.Redis) -> None:
    async with out_of_memory(store):
        with pytest.raises(StoreUnavailable), store_errors():
            await store.set("a", "x")


async def test_a_script_without_memory_is_store_unavailable(store: aioredis.Redis) -> None:
    async with out_of_memory(store):
        with pytest.raises(StoreUnavailable), store_errors():
            await store.eval(WRITING_SCRIPT, 1, "a")


async def test_a_command_on_a_replica_is_store_unavailable(store: aioredis.Redis) -> None:
    async with read_only(store):
        with pytest.raises(StoreUnavailable), store_errors():
            await store.set("a", "x")


async def test_a_script_on_a_replica_is_store_unavailable(store: aioredis.Redis) -> None:
    async with read_only(store):
        with pytest.raises(StoreUnavailable), store_errors():
            await store.eval(WRITING_SCRIPT, 1, "a")


@pytest.mark.parametrize("script", [False, True])
async def test_too_few_replicas_are_store_unavailable(
    store: aioredis.Redis,
    script: bool,
) -> None:
    await store.config_set("min-replicas-to-write", "1")
    try:
        with pytest.raises(StoreUnavailable), store_errors():
            await (store.eval(WRITING_SCRIPT, 1, "a") if script else store.set("a", "x"))
    finally:
        await store.config_set("min-replicas-to-write", "0")


async def test_a_redis_that_is_not_there_is_store_unavailable() -> None:
    client = connect("redis://127.0.0.1:1/0", timeout_ms=200)
    with pytest.raises(StoreUnavailable):
        await store_ready(client)
    await client.aclose()


async def test_a_redis_that_does_not_answer_in_time_is_store_unavailable(
    redis_server: RedisServer, store: aioredis.Redis
) -> None:
    client = connect(redis_server.url, timeout_ms=50)
    await store_ready(client)
    await store.client_pause(200)
    with pytest.raises(StoreUnavailable):
        await store_ready(client)
    await asyncio.sleep(0.3)
    assert await store_ready(client)  # and it comes back by itself
    await client.aclose()


async def test_more_calls_than_connections_wait_for_one(
    redis_server: RedisServer, store: aioredis.Redis
) -> None:
    client = connect(redis_server.url, timeout_ms=5_000, max_connections=2)
    assert all(await asyncio.gather(*(store_ready(client) for _ in range(50))))
    assert len(await store.client_list()) <= 3
    await client.aclose()


async def test_a_wrong_command_stays_the_bug_that_it_is(store: aioredis.Redis) -> None:
    await store.set("text", "OOM ")
    with pytest.raises(ResponseError, match="WRONGTYPE"), store_errors():
        await store.xlen("text")
    with pytest.raises(ResponseError), store_errors():
        await store.eval("return redis.error_reply('ERR the text is : READONLY')", 0)


@pytest.mark.parametrize(
    "error",
    [
        RedisConnectionError("reset"),
        RedisTimeoutError("late"),
        OSError("no route"),
        AuthenticationError("wrong password"),
        RedisError("anything of redis-py"),
    ],
)
def test_what_the_client_raises_is_store_unavailable(error: Exception) -> None:
    with pytest.raises(StoreUnavailable) as raised, store_errors():
        raise error
    assert str(error) not in str(raised.value)
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("error", [ValueError("ours"), RuntimeError("ours")])
def test_other_errors_pass(error: Exception) -> None:
    with pytest.raises(type(error), match="ours"), store_errors():
        raise error


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
async def test_a_connection_that_was_reset_while_idle_is_store_unavailable(run: Callable[..., None]) -> None:
    served: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(writer)
        with suppress(OSError):
            while asked := await reader.read(4096):
                writer.write(b"+PONG\r\n" if b"PING" in asked else b"+OK\r\n" * asked.count(b"*"))
        writer.close()

    async def reset_between_two_calls() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, connect(f"redis://127.0.0.1:{port}/0", timeout_ms=5_000) as client:
            assert await store_ready(client)
            linger = struct.pack("ii", 1, 0)  # for no time: what is closed is reset
            served[0].get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            served[0].transport.abort()
            await asyncio.sleep(0.1)
            with pytest.raises(StoreUnavailable):
                await store_ready(client)
            assert await store_ready(client)
            served[1].close()

    await asyncio.to_thread(run, reset_between_two_calls())
