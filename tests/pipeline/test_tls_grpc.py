"""A real gRPC server over TLS: who is let in, and what happens when its certificates change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from pipeline.channel import open_channel
from pipeline.tls import CertificatesInForce, server_credentials
from scripts.system.certificates import Authority, Pair
from scripts.system.ports import HOST
from tests.fixtures.authority import credentials, issue_server, serial_of, served_serial, server_files
from tests.pipeline.guarded import SERVICE, WITH_KEY, call, guarded_server, plain, shapes
from tests.pipeline.walk import methods, register_all, walk_grpc

HELLO = StringValue(value="hello").SerializeToString()
SHAPES = ("One", "Many", "Collected", "Each")
METHODS = methods()
STRANGERS = ("nobody", "of another authority", "expired", "in plain text")


@dataclass
class Secured:
    """A server that wants certificates, and both authorities."""

    port: int
    ours: Authority
    theirs: Authority
    in_force: CertificatesInForce

    @property
    def target(self) -> str:
        return f"{HOST}:{self.port}"

    def channel_of(self, who: str) -> grpc.aio.Channel:
        """A channel of somebody who trusts the server."""
        if who == "in plain text":
            return open_channel(self.target, None)
        pair: Pair | None = None
        if who == "ours":
            pair = self.ours.issue("client")
        elif who == "of another authority":
            pair = self.theirs.issue("client")
        elif who == "expired":
            pair = self.ours.issue("late", ended=timedelta(minutes=1))
        return open_channel(self.target, credentials(self.ours.certificate, pair))


@asynccontextmanager
async def secured(tmp_path: Path, *, mutual: bool = True) -> AsyncIterator[Secured]:
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    files = server_files(issue_server(ours), ours.certificate if mutual else None)
    in_force = CertificatesInForce(files)
    server = guarded_server()
    server.add_generic_rpc_handlers((shapes(),))
    register_all(server)
    port = server.add_secure_port(f"{HOST}:0", server_credentials(in_force))
    await server.start()
    yield Secured(port, ours, theirs, in_force)
    await server.stop(None)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Secured]:
    async with secured(tmp_path) as running:
        yield running


async def test_with_a_certificate_of_our_authority_every_shape_is_served(server: Secured) -> None:
    async with server.channel_of("ours") as channel:
        for shape in SHAPES:
            assert await call(channel, shape, HELLO)


@pytest.mark.parametrize("who", STRANGERS)
async def test_strangers_are_refused_in_every_shape_and_every_method(server: Secured, who: str) -> None:
    async with server.channel_of(who) as channel:
        for shape in SHAPES:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(channel, shape, HELLO)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE, shape
        ended = await walk_grpc(channel, METHODS, WITH_KEY)
        assert {code for code, _ in ended.values()} == {grpc.StatusCode.UNAVAILABLE}
        assert len(ended) == len(METHODS)


async def test_a_certificate_is_no_key(server: Secured) -> None:
    async with server.channel_of("ours") as channel:
        ended = await walk_grpc(channel, METHODS, ())
    assert {code for code, _ in ended.values()} == {grpc.StatusCode.UNAUTHENTICATED}


async def test_a_client_does_not_take_a_server_of_another_authority(server: Secured) -> None:
    pair = server.ours.issue("client")
    async with open_channel(server.target, credentials(server.theirs.certificate, pair)) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(channel, "One", HELLO)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_without_an_authority_for_clients_none_need_show_a_certificate(tmp_path: Path) -> None:
    async with secured(tmp_path, mutual=False) as server, server.channel_of("nobody") as channel:
        assert await call(channel, "One", HELLO)


async def test_new_connections_get_the_new_certificate_and_old_ones_live_on(server: Secured) -> None:
    pair = server.ours.issue("client")
    async with server.channel_of("ours") as channel:
        bare: Any = plain(channel)
        stream = bare.stream_stream(f"/{SERVICE}/Each")(metadata=WITH_KEY)
        await stream.write(HELLO)
        assert await stream.read() == HELLO
        for _ in range(3):
            fresh = issue_server(server.ours)
            server.in_force.reload()
            served = await served_serial(server.port, server.ours.certificate, pair)
            assert served == serial_of(fresh.certificate)
            await stream.write(HELLO)
            assert await stream.read() == HELLO
        await stream.done_writing()
        assert await stream.code() is grpc.StatusCode.OK


async def test_another_authority_for_clients_is_taken_up_too(server: Secured) -> None:
    theirs = server.theirs.certificate.read_bytes()
    server.ours.certificate.rename(server.ours.folder / "was.pem")
    server.ours.certificate.write_bytes(theirs)  # what TLS_CLIENT_CA_PATH names
    server.in_force.reload()
    trusted = server.ours.folder / "was.pem"
    async with open_channel(server.target, credentials(trusted, server.theirs.issue("client"))) as channel:
        assert await call(channel, "One", HELLO)
    async with open_channel(server.target, credentials(trusted, server.ours.issue("client"))) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await call(channel, "One", HELLO)


async def test_rotation_under_load_fails_no_call_of_a_client_that_follows(server: Secured) -> None:
    calls = 0
    over = asyncio.Event()

    async def load() -> None:
        nonlocal calls
        while not over.is_set():
            # A new connection each time: the handshakes are what a rotation could break.
            pair = Pair(server.ours.folder / "client.pem", server.ours.folder / "client-key.pem")
            async with open_channel(server.target, credentials(server.ours.certificate, pair)) as channel:
                for shape in SHAPES:
                    assert await call(channel, shape, HELLO)
                    calls += 1

    server.ours.issue("client")
    clients = [asyncio.create_task(load()) for _ in range(4)]
    for _ in range(5):
        fresh, before = issue_server(server.ours), calls
        server.in_force.reload()
        pair = server.ours.pair_of("client")
        served = await served_serial(server.port, server.ours.certificate, pair)
        assert served == serial_of(fresh.certificate)
        async with asyncio.timeout(60):
            while calls < before + 40 and not any(client.done() for client in clients):
                await asyncio.sleep(0.01)
    over.set()
    await asyncio.gather(*clients)
    assert calls >= 200
