"""A real screener gives up, stops giving up, and goes on; an operator corrects one entry, drops another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import orjson
import pytest
from seawall.ingest.v1 import ingest_pb2

from pipeline.keys import ONLY
from scripts.cli import execute
from scripts.show.dead_letters import event_json
from scripts.system.system import System
from tests.fixtures.events import MakeEvent
from tests.fixtures.redis_state import entries_of, event_ids_in
from tests.fixtures.system import Clients, connected

STRICT = {
    "DEAD_LETTER_MAX_SHARE": "0",
    "DEAD_LETTER_MIN_COUNT": "2",
    "DEAD_LETTER_PROBE_SECONDS": "1",
    "CLAIM_IDLE_MS": "500",
}


@pytest.fixture
def own_system() -> Iterator[System]:
    with System(settings=STRICT) as running:
        yield running


async def part_is(system: System, *, there: bool) -> None:
    """Returns once the screener's readiness says so of its limit."""
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{system.screener.http_url}/ready") as response:
                parts = orjson.loads(await response.read())["parts"]
                if parts["dead_letter_limit"] is there and (response.status == 200) is there:
                    return
            await asyncio.sleep(0.1)


async def given_up(clients: Clients, *event_ids: str) -> None:
    async with asyncio.timeout(30):
        while await event_ids_in(clients.store, ONLY.dead_letter) != list(event_ids):
            await asyncio.sleep(0.1)


async def test_what_is_given_up_stopped_corrected_and_dropped(
    own_system: System, make_event: MakeEvent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", own_system.redis_url)
    async with connected(own_system) as clients:
        await clients.store.xadd(ONLY.raw, {"event_id": "broken-1", "event": b"\xff"})
        await given_up(clients, "broken-1")

        await clients.store.xadd(ONLY.raw, {"event_id": "broken-2", "event": b"\xff"})
        await part_is(own_system, there=False)
        await asyncio.sleep(2.5)  # a probe or two of what it kept
        assert await event_ids_in(clients.store, ONLY.dead_letter) == ["broken-1"]
        assert await event_ids_in(clients.store, ONLY.raw) == ["broken-2"]
        await part_is(own_system, there=False)

        await clients.send(make_event(event_id="good"))  # the next probe passes with it
        assert (await clients.verdict("good")).event_id == "good"
        await part_is(own_system, there=True)
        await given_up(clients, "broken-1", "broken-2")

        fixed = tmp_path / "fixed.json"
        fixed.write_bytes(orjson.dumps(event_json(make_event(event_id="broken-1", content="mended"))))
        (first, _), (second, _) = await entries_of(clients.store, ONLY.dead_letter)
        for arguments in (["replay", first, "--fix", str(fixed)], ["drop", second]):
            assert await asyncio.to_thread(execute, ["dead-letters", *arguments, "--yes"]) == 0
        assert (await clients.verdict("broken-1")).event_id == "broken-1"
        assert (await clients.status("broken-2")).state == ingest_pb2.EVENT_STATE_UNKNOWN
        assert await clients.store.xlen(ONLY.dead_letter) == 0
