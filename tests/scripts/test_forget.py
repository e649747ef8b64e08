"""`seawall forget` in a process of its own, against the admin service on a real Redis."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
import redis.asyncio as aioredis
from seawall.admin.v1 import admin_pb2, admin_pb2_grpc

from pipeline.audit import AuditLog
from pipeline.auth import ApiKeys, Caller, Key, Scope, digest_of
from pipeline.keys import ONLY
from pipeline.status import details_of
from screener.admin import AdminService
from screener.cache import EmbeddingCache
from screener.forget import Forgetting
from scripts.cli import execute
from scripts.system.ports import HOST
from tests.fixtures.digests import DIGESTS
from tests.fixtures.events import MakeEvent
from tests.fixtures.model import ModelInMemory
from tests.fixtures.redis_state import event_ids_in
from tests.fixtures.screening import HEURISTICS, Bench
from tests.pipeline.guarded import KEY, WITH_KEY, guarded_server

ROOT = Path(__file__).resolve().parents[2]
ADMIN_KEY = "the-key-of-an-administrator"
AUTHOR = "anna-the-author"


@asynccontextmanager
async def serving_admin(store: aioredis.Redis) -> AsyncIterator[str]:
    """The address of the admin service."""
    forgetting = Forgetting(
        store,
        ONLY,
        digests=DIGESTS,
        cache=EmbeddingCache(store, ONLY, DIGESTS, ttl_seconds=60),
        model=ModelInMemory(),
        heuristics=lambda: HEURISTICS,
    )
    admin = Key(digest_of(ADMIN_KEY), Caller("anna", frozenset({Scope.ADMIN})))
    server = guarded_server(keys=ApiKeys([KEY], listed=[admin]))
    admin_pb2_grpc.add_AdminServiceServicer_to_server(AdminService(forgetting), server)
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    yield f"{HOST}:{port}"
    await server.stop(None)


async def forget(address: str, *arguments: str, key: str = ADMIN_KEY) -> tuple[int, str, str]:
    """Exit status, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scripts.cli", "forget", "--address", address, *arguments),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'protos'}", "API_KEY": key},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(120):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out.decode(), err.decode()


async def test_says_what_was_found_by_place(store: aioredis.Redis, make_event: MakeEvent) -> None:
    bench = Bench(store)
    async with bench.running():
        await bench.admit(make_event(author_id=AUTHOR), make_event(event_id="other", author_id="ben"))
        await bench.verdicts(2)
    async with serving_admin(store) as address:
        status, out, err = await forget(address, "--author", AUTHOR, "--yes", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["removed"] == {
        ONLY.reasoning_queue: 0,
        "emb": 0,
        ONLY.low_risk: 1,
        ONLY.dead_letter: 0,
        ONLY.embeddings: 1,
    }
    assert await event_ids_in(store, ONLY.low_risk) == ["other"]
    assert {record.who async for record in AuditLog(store, ONLY).records()} == {"anna"}


async def test_what_still_waits_is_said_and_fails(store: aioredis.Redis, make_event: MakeEvent) -> None:
    await Bench(store).admit(make_event(author_id=AUTHOR))
    async with serving_admin(store) as address:
        status, out, err = await forget(address, "--author", AUTHOR, "--yes", "--wait", "0")
    assert status == 1
    assert "1 events wait for their verdict and were left" in err
    assert ONLY.low_risk in out


async def test_another_key_is_refused(store: aioredis.Redis) -> None:
    async with serving_admin(store) as address:
        status, _, err = await forget(address, "--author", AUTHOR, "--yes", key=KEY)
        refused = await code_of(address, admin_pb2.ForgetRequest(author_id=AUTHOR), WITH_KEY)
    assert (status, "PERMISSION_DENIED" in err) == (1, True)
    assert refused[0] is grpc.StatusCode.PERMISSION_DENIED
    assert [record async for record in AuditLog(store, ONLY).records()] == []


async def test_who_is_nobody_is_named_by_field(store: aioredis.Redis) -> None:
    request = admin_pb2.ForgetRequest(author_id="", platform=99)  # type: ignore[arg-type]
    async with serving_admin(store) as address:
        code, fields = await code_of(address, request, (("api-key", ADMIN_KEY),))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "author_id" in fields
    assert "platform" in fields


async def code_of(
    address: str, request: admin_pb2.ForgetRequest, metadata: tuple[tuple[str, str], ...]
) -> tuple[grpc.StatusCode, str]:
    """How the call fails, and with what details."""
    async with grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await admin_pb2_grpc.AdminServiceStub(channel).Forget(request, metadata=metadata, timeout=60)
    return failed.value.code(), str(details_of(failed.value))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--platform", "myspace", "--yes"), "--platform myspace: allowed: discord"),
        ((), "nobody is there to ask: say --yes"),
    ],
)
def test_a_wrong_command_is_one_line(
    arguments: tuple[str, ...],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("API_KEY", ADMIN_KEY)
    assert execute(("forget", "--author", AUTHOR, *arguments)) == 1
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
