"""Keys that change while clients call: who follows fails no call, and whoever is revoked is out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from prometheus_client import CollectorRegistry

from pipeline.auth import Scope
from pipeline.guard import Guard
from pipeline.key_file import ListedKey
from pipeline.key_metrics import KeyMetrics
from pipeline.keys_in_force import KeysInForce
from pipeline.server import channel_options
from pipeline.tasks import end
from scripts.commands.key_edits import KeyEdits, new_key, sha256_of
from scripts.system.ports import HOST
from tests.pipeline.guarded import SERVICE, SHAPE_SCOPES, plain, shapes

SAID = StringValue(value="a").SerializeToString()
NAME = "bot"


@dataclass
class Rotating:
    """A server whose file of keys is edited, and the key that its clients use."""

    channel: grpc.aio.Channel
    edits: KeyEdits
    keys: KeysInForce
    key: str
    codes: list[grpc.StatusCode] = field(default_factory=list)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("api-key", self.key),)

    async def call_on_and_on(self) -> None:
        """Calls as fast as it is answered, each time with the key of now."""
        one = plain(self.channel).unary_unary(f"/{SERVICE}/One")
        while True:
            self.codes.append(await one(SAID, metadata=self.metadata, timeout=60).code())

    async def rotate(self, keep: timedelta) -> None:
        """As `seawall keys rotate` does it; the clients follow once the new key is in force."""
        fresh = new_key()
        self.edits.rotate(NAME, sha256_of(fresh), now=datetime.now(UTC), keep=keep)
        one = plain(self.channel).unary_unary(f"/{SERVICE}/One")
        async with asyncio.timeout(60):
            while await one(SAID, metadata=(("api-key", fresh),)).code() is not grpc.StatusCode.OK:
                await asyncio.sleep(0.05)
        self.key = fresh


async def unrecorded(*_: object) -> None:
    """The audit stream of Redis is none of this."""


@asynccontextmanager
async def rotating(path: Path) -> AsyncIterator[Rotating]:
    edits, key = KeyEdits(path), new_key()
    edits.add(ListedKey(name=NAME, sha256=sha256_of(key), scopes=(Scope.READ,)))
    keys = KeysInForce(keys=(), path=path, metrics=KeyMetrics(CollectorRegistry()))
    guard = Guard(keys.keys, lambda *_: None, SHAPE_SCOPES)
    watch = asyncio.create_task(
        keys.watch(who="test", record=unrecorded, each_time=guard.end_calls_of_ended_keys)
    )
    server = grpc.aio.server(interceptors=(guard,), options=channel_options())
    server.add_generic_rpc_handlers((shapes(),))
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"{HOST}:{port}", options=channel_options()) as channel:
        yield Rotating(channel, edits, keys, key)
    await server.stop(None)
    await end([watch])


async def test_a_client_that_follows_fails_no_call(tmp_path: Path) -> None:
    async with rotating(tmp_path / "keys.json") as service:
        clients = [asyncio.create_task(service.call_on_and_on()) for _ in range(4)]
        for _ in range(3):
            before = service.key
            await service.rotate(keep=timedelta(hours=1))
            assert service.key != before
        service.edits.revoke(NAME)
        async with asyncio.timeout(60):
            while service.codes[-1] is grpc.StatusCode.OK:
                await asyncio.sleep(0.01)
        await end(clients)
        until_revoked = service.codes[: service.codes.index(grpc.StatusCode.UNAUTHENTICATED)]
        assert len(until_revoked) > 10
        assert set(until_revoked) == {grpc.StatusCode.OK}
        assert set(service.codes[len(until_revoked) :]) == {grpc.StatusCode.UNAUTHENTICATED}


async def test_the_old_key_ends_when_its_time_is_over(tmp_path: Path) -> None:
    async with rotating(tmp_path / "keys.json") as service:
        old = service.metadata
        await service.rotate(keep=timedelta(0))
        one = plain(service.channel).unary_unary(f"/{SERVICE}/One")
        assert await one(SAID, metadata=old).code() is grpc.StatusCode.UNAUTHENTICATED
        assert await one(SAID, metadata=service.metadata).code() is grpc.StatusCode.OK


@pytest.mark.parametrize("method", ["Collected", "Each", "Forever"])
async def test_what_a_revoked_key_has_open_is_ended(tmp_path: Path, method: str) -> None:
    async def forever() -> AsyncIterator[bytes]:
        yield SAID
        await asyncio.sleep(600)

    async with rotating(tmp_path / "keys.json") as service:
        path, bare = f"/{SERVICE}/{method}", plain(service.channel)
        call: Any = {
            "Collected": lambda: bare.stream_unary(path)(forever(), metadata=service.metadata),
            "Each": lambda: bare.stream_stream(path)(forever(), metadata=service.metadata),
            "Forever": lambda: bare.unary_stream(path)(SAID, metadata=service.metadata),
        }[method]()
        if method != "Collected":
            assert await call.read() == SAID
        service.edits.revoke(NAME)
        assert await asyncio.wait_for(call.code(), 60) is grpc.StatusCode.UNAUTHENTICATED
        assert await call.details() == "the key was revoked"
