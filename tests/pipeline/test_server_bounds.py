"""The bounds of a server's connections, over real ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import grpc
import pytest

from pipeline.server import channel_options
from pipeline.server_bounds import MAX_MESSAGE_BYTES, MAX_METADATA_BYTES, ConnectionBounds
from scripts.chaos.proxy import Proxy
from scripts.system.ports import HOST, Ports
from tests.fixtures.raw_server import raw_server

SERVICE = "seawall.test.v1.Test"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
PING = b"\x00\x00\x08\x06\x00\x00\x00\x00\x00" + bytes(8)
GOAWAY = 7
MAX_CONCURRENT_STREAMS = b"\x00\x03"
ENHANCE_YOUR_CALM = b"\x00\x00\x00\x0b"
GENEROUS = ConnectionBounds()


async def echo(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
    async for request in requests:
        yield request


@asynccontextmanager
async def serving(
    bounds: ConnectionBounds, behaviour: Any = echo, *, most_calls: int | None = None
) -> AsyncIterator[int]:
    """A server with these bounds; its port."""
    async with raw_server(
        f"/{SERVICE}/Call",
        grpc.stream_stream_rpc_method_handler(behaviour),
        options=[*bounds.options(), ("grpc.so_reuseport", 0)],
        most_calls=most_calls,
    ) as port:
        yield port


@asynccontextmanager
async def calling(port: int, *options: tuple[str, int]) -> AsyncIterator[Any]:
    """Calls the method: takes metadata."""
    async with grpc.aio.insecure_channel(
        f"{HOST}:{port}", options=[*options, *channel_options(), ("grpc.use_local_subchannel_pool", 1)]
    ) as channel:
        yield channel.stream_stream(f"/{SERVICE}/Call", request_serializer=None, response_deserializer=None)


async def answer(call: Any, message: bytes) -> bytes:
    """The first answer to one message."""
    stream = call(timeout=30)
    await stream.write(message)
    await stream.done_writing()
    return bytes(await stream.read())


@asynccontextmanager
async def connected(port: int, *sent: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """A connection on which this is sent, and nothing else; what comes back."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(b"".join(sent))
        await writer.drain()
        yield reader
    finally:
        writer.transport.abort()


async def to_the_end(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the server hangs up."""
    async with asyncio.timeout(30):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and payload of each HTTP/2 frame."""
    while len(data) >= 9:
        length = int.from_bytes(data[:3], "big")
        yield data[3], data[9 : 9 + length]
        data = data[9 + length :]


async def test_who_says_nothing_is_hung_up_on() -> None:
    async with serving(replace(GENEROUS, handshake_s=0.2)) as port, connected(port) as reader:
        await to_the_end(reader)


async def test_a_connection_without_a_call_is_given_back() -> None:
    bounds = replace(GENEROUS, idle_s=0.2)
    async with serving(bounds) as port, connected(port, PREFACE, SETTINGS) as reader:
        kinds = [kind for kind, _ in frames(await to_the_end(reader))]
        assert GOAWAY in kinds


async def test_a_connection_that_is_used_outlives_that_time() -> None:
    async with serving(replace(GENEROUS, idle_s=0.2)) as port, calling(port) as call:
        stream = call(timeout=30)
        for _ in range(4):
            await stream.write(b"still here")
            assert await stream.read() == b"still here"
            await asyncio.sleep(0.1)
        stream.cancel()


async def test_a_half_open_connection_ends_its_calls() -> None:
    ended = asyncio.Event()

    async def wait(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
        try:
            async for request in requests:
                yield request
        finally:
            ended.set()

    bounds = replace(GENEROUS, silence_s=0.3, answer_s=0.3)
    async with serving(bounds, wait) as port:
        with Proxy(port=Ports().take(name="the network"), target_port=port) as network:
            async with calling(network.port) as call:
                stream = call()
                await stream.write(b"hello")
                assert await stream.read() == b"hello"
                network.lose_answers()  # the client never learns that it is asked anything
                async with asyncio.timeout(30):
                    await ended.wait()
                stream.cancel()


async def test_a_flood_of_pings_is_cut_off() -> None:
    async with serving(GENEROUS) as port, connected(port, PREFACE, SETTINGS, PING * 20) as reader:
        goodbyes = [payload for kind, payload in frames(await to_the_end(reader)) if kind == GOAWAY]
        assert any(payload[4:8] == ENHANCE_YOUR_CALM for payload in goodbyes)


async def test_a_client_is_told_how_many_calls_a_connection_may_have_at_once() -> None:
    bounds = replace(GENEROUS, streams=2)
    async with serving(bounds) as port, connected(port, PREFACE, SETTINGS) as reader:
        length = int.from_bytes(await reader.readexactly(3), "big")
        settings = (await reader.readexactly(6 + length))[6:]
        told = {settings[at : at + 2]: settings[at + 2 : at + 6] for at in range(0, length, 6)}
        assert told[MAX_CONCURRENT_STREAMS] == (2).to_bytes(4, "big")


async def test_calls_past_the_limit_of_the_server_are_refused_at_once() -> None:
    async with serving(GENEROUS, most_calls=1) as port, calling(port) as call:
        stream = call(timeout=30)
        await stream.write(b"one")
        assert await stream.read() == b"one"
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await answer(call, b"two")
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        stream.cancel()


async def test_connections_past_the_limit_are_closed() -> None:
    async with (
        serving(replace(GENEROUS, connections=2)) as port,
        connected(port, PREFACE, SETTINGS) as one,
        connected(port, PREFACE, SETTINGS) as two,
    ):
        assert await one.readexactly(9)  # the server's own settings: it is served
        assert await two.readexactly(9)
        async with connected(port, PREFACE, SETTINGS) as three:
            assert await to_the_end(three) == b""


@pytest.mark.parametrize(
    ("size", "passes"), [(MAX_METADATA_BYTES - 2_048, True), (MAX_METADATA_BYTES, False)]
)
async def test_metadata_has_one_limit_and_not_a_zone_of_chance(size: int, passes: bool) -> None:
    async with serving(GENEROUS) as port, calling(port) as call:
        for _ in range(10):
            stream = call(timeout=30, metadata=(("junk", "x" * size),))
            await stream.done_writing()
            code = await stream.code()
            assert code is (grpc.StatusCode.OK if passes else grpc.StatusCode.RESOURCE_EXHAUSTED)


async def test_a_message_past_the_limit_is_refused_and_the_next_call_is_served() -> None:
    async with serving(GENEROUS) as port, calling(port, ("grpc.max_send_message_length", -1)) as call:
        stream = call(timeout=60)
        await stream.write(bytes(MAX_MESSAGE_BYTES + 1))
        assert await stream.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await answer(call, b"next") == b"next"


async def test_what_is_packed_is_refused_before_it_is_unpacked() -> None:
    async with serving(GENEROUS) as port, grpc.aio.insecure_channel(f"{HOST}:{port}") as channel:
        call: Any = channel.unary_unary(
            f"/{SERVICE}/Call", request_serializer=None, response_deserializer=None
        )
        assert await call(b"plain", timeout=30) == b"plain"
        packed = call(bytes(1024 * 1024), timeout=30, compression=grpc.Compression.Gzip)
        assert await packed.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_who_does_not_read_holds_a_few_megabytes_and_no_more() -> None:
    piece = bytes(64 * 1024)
    written: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def tell(_requests: AsyncIterator[bytes], context: Any) -> None:
        count = 0
        try:
            while True:
                async with asyncio.timeout(1):
                    await context.write(piece)
                count += 1
        except TimeoutError:
            written.set_result(count * len(piece))

    async with serving(GENEROUS, tell) as port, calling(port) as call:
        stream = call()
        await stream.done_writing()
        async with asyncio.timeout(60):
            assert await written <= 8 * 1024 * 1024
        stream.cancel()
