"""`seawall watch` in a process of its own, against a real screener's service."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis.asyncio as aioredis

from scripts.cli import execute
from scripts.system.redis import RedisServer
from tests.fixtures.verdicts import RISKY, a_verdict, publish_verdicts
from tests.pipeline.guarded import KEY
from tests.screener.watching import serving_screener

ROOT = Path(__file__).resolve().parents[2]
FROM_START = "0-0_0-0"


@asynccontextmanager
async def watching(*arguments: str, key: str = KEY) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scripts.cli", "watch", *arguments),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'protos'}", "API_KEY": key},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def output(*arguments: str, key: str = KEY) -> tuple[int, str, str]:
    """Exit status, standard output, standard error."""
    async with watching(*arguments, key=key) as process, asyncio.timeout(120):
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()


async def test_lines_for_programs_carry_the_position_to_go_on_from(
    store: aioredis.Redis, redis_server: RedisServer
) -> None:
    await publish_verdicts(store, *(a_verdict(f"e{i}") for i in range(4)))
    async with serving_screener(redis_server.url) as screener:
        at = ("--address", screener.address, "--json", "--limit", "2")
        status, out, err = await output(*at, "--position", FROM_START)
        lines = [json.loads(line) for line in out.splitlines()]
        assert (status, [line["event_id"] for line in lines]) == (0, ["e0", "e1"])
        assert f"--position {lines[-1]['position']}" in err
        _, out, _ = await output(*at, "--position", lines[-1]["position"])
        assert [json.loads(line)["event_id"] for line in out.splitlines()] == ["e2", "e3"]


async def test_lines_for_people_show_what_was_asked_for(
    store: aioredis.Redis, redis_server: RedisServer
) -> None:
    await publish_verdicts(store, a_verdict("low"), a_verdict("risky", **RISKY))
    async with serving_screener(redis_server.url) as screener:
        filters = ("--category", "Toxic", "--platform", "discord", "--route", "reasoning_queue")
        status, out, _ = await output(
            *("--address", screener.address, "--position", FROM_START, "--limit", "1", "--min-risk", "0.9"),
            *filters,
        )
    assert status == 0
    [line] = out.splitlines()
    assert all(part in line for part in ("0.90", "toxic", "discord", "risky"))


async def test_a_screener_that_stops_is_waited_for_and_ctrl_c_ends_it(
    store: aioredis.Redis, redis_server: RedisServer
) -> None:
    async with serving_screener(redis_server.url) as first:
        port = int(first.address.rpartition(":")[2])
        async with watching("--address", first.address, "--json") as process, asyncio.timeout(120):
            assert process.stdout is not None
            assert process.stderr is not None
            await first.until_watched_by(1)
            await publish_verdicts(store, a_verdict("e1"))
            assert json.loads(await process.stdout.readline())["event_id"] == "e1"
            await first.stop()
            await publish_verdicts(store, a_verdict("e2"))
            async with serving_screener(redis_server.url, port=port):
                assert json.loads(await process.stdout.readline())["event_id"] == "e2"
                process.send_signal(signal.SIGINT)
                assert await process.wait() == 130
            err = (await process.stderr.read()).decode()
    assert "UNAVAILABLE" in err
    assert "--position" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("position", "problem"),
    [("x", "position: is not a position"), (f"0-0_{2**60}-0", f"the oldest is {FROM_START}")],
)
async def test_what_the_screener_refuses_is_told_in_one_line(
    store: aioredis.Redis, redis_server: RedisServer, position: str, problem: str
) -> None:
    async with serving_screener(redis_server.url) as screener:
        status, out, err = await output("--address", screener.address, "--position", position)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert problem in err


async def test_a_key_is_needed(store: aioredis.Redis, redis_server: RedisServer) -> None:
    async with serving_screener(redis_server.url) as screener:
        status, _, err = await output("--address", screener.address, key="x" * 20)
    assert (status, "UNAUTHENTICATED" in err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--category", "rude"], "--category rude: allowed: low_risk, spam"),
        (["--platform", "myspace"], "--platform myspace: allowed: discord"),
        (["--route", "x"], "--route x: allowed: low_risk, reasoning_queue"),
        (["--address", "127.0.0.1:1"], "127.0.0.1:1: UNAVAILABLE"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    problem: str,
) -> None:
    monkeypatch.setenv("API_KEY", KEY)
    assert execute(["watch", *arguments]) == 1
    assert problem in capsys.readouterr().err


def test_without_a_key_nobody_is_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("API_KEY", raising=False)
    assert execute(["watch"]) == 1
    assert "no API key: set API_KEY" in capsys.readouterr().err
