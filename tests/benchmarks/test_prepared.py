"""The C program that makes gRPC calls: each message arrives as it was, of any size; a failure is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from benchmarks.ghz_load import Ghz
from benchmarks.prepared import replay_calls, write_calls
from pipeline.server_bounds import ConnectionBounds
from scripts.system.ports import HOST
from tests.fixtures.raw_server import raw_server

_METHOD = "/seawall.ingest.v1.IngestService/IngestBatch"
_KEY = "a key of the test"


@asynccontextmanager
async def collecting(found: list[bytes]) -> AsyncIterator[int]:
    """A server that keeps the messages of callers with the key, and has none for those without; its port."""

    async def collect(message: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        if ("api-key", _KEY) not in tuple(context.invocation_metadata() or ()):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED)
        found.append(message)
        return b"taken"

    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(collect)
    async with raw_server(_METHOD, handler, options=ConnectionBounds().options()) as port:
        yield port


async def test_every_message_arrives_once_and_whole(tmp_path: Path) -> None:
    messages = [b"", *(bytes((number,)) * number for number in range(1, 60)), b"long" * 100_000]
    found: list[bytes] = []
    async with collecting(found) as port:
        write_calls(tmp_path / "calls", Ghz("IngestBatch", f"{HOST}:{port}", _KEY), messages)
        done = await replay_calls(port, tmp_path / "calls", connections=3, window=4)
    assert sorted(found) == sorted(messages)
    assert done.answers == len(messages)
    assert 0 < done.p50_ms <= done.p99_ms <= 1_000 * done.seconds


async def test_a_call_that_fails_is_an_error(tmp_path: Path) -> None:
    async with collecting([]) as port:
        write_calls(tmp_path / "calls", Ghz("IngestBatch", f"{HOST}:{port}", "another key"), [b"message"])
        with pytest.raises(RuntimeError, match="call 1 failed"):
            await replay_calls(port, tmp_path / "calls", connections=1, window=1)
