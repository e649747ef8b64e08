"""Kills and outages of real processes: nothing accepted is lost, nothing is judged twice."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import pytest

from pipeline.keys import GROUP, ONLY
from scripts.system.system import System
from tests.fixtures.events import MakeEvent
from tests.fixtures.system import Clients, connected


@pytest.fixture(scope="module")
def own_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that a test may break, and leaves with every part at work and no event without a verdict."""
    folder = tmp_path_factory.mktemp("faults")
    with System(data_dir=folder / "data", settings={"CLAIM_IDLE_MS": "1000"}) as running:
        yield running


async def admit(clients: Clients, make_event: MakeEvent, n: int, *, tag: str) -> set[str]:
    ids = [f"{tag}-{i}" for i in range(n)]
    for start in range(0, n, 250):
        batch = [
            make_event(event_id=i, content=f"a message of its own, {i}") for i in ids[start : start + 250]
        ]
        outcomes = await clients.send(*batch)
        assert {o.code for o in outcomes} == {1}
    return set(ids)


async def assert_one_verdict_each(clients: Clients, accepted: set[str]) -> None:
    await clients.until_drained()
    ids = [verdict.event_id for verdict in await clients.published()]
    assert len(ids) == len(set(ids))
    tags = {event_id.partition("-")[0] for event_id in accepted}
    assert {event_id for event_id in ids if event_id.partition("-")[0] in tags} == accepted
    assert await clients.store.xlen(ONLY.dead_letter) == 0
    assert (await clients.store.xpending(ONLY.raw, GROUP))["pending"] == 0


async def test_a_killed_screener_loses_and_doubles_nothing(own_system: System, make_event: MakeEvent) -> None:
    async with connected(own_system) as clients:
        accepted = await admit(clients, make_event, 600, tag="kill")
        for _ in range(2):
            await asyncio.sleep(1)
            own_system.screener.process.kill()
            own_system.screener.start()
        await asyncio.to_thread(own_system.screener.wait_ready)
        await assert_one_verdict_each(clients, accepted)


async def test_a_killed_redis_comes_back_with_everything(own_system: System, make_event: MakeEvent) -> None:
    async with connected(own_system) as clients:
        accepted = await admit(clients, make_event, 300, tag="redis")
        own_system.redis.process.kill()
        own_system.redis.start()
        await asyncio.to_thread(own_system.redis.wait_ready)
        await asyncio.to_thread(own_system.ingest.wait_ready)
        accepted |= await admit(clients, make_event, 100, tag="after")
        await assert_one_verdict_each(clients, accepted)


async def test_events_wait_for_triton(own_system: System, make_event: MakeEvent) -> None:
    async with connected(own_system) as clients:
        own_system.triton.kill()
        accepted = await admit(clients, make_event, 50, tag="triton")
        async with asyncio.timeout(10):
            while await asyncio.to_thread(own_system.screener.is_ready):
                await asyncio.sleep(0.1)
        assert await asyncio.to_thread(own_system.ingest.is_ready)  # ingest needs Redis alone
        assert await clients.store.xlen(ONLY.raw) == 50
        own_system.triton.start()
        await asyncio.to_thread(own_system.triton.wait_ready, 120)
        await assert_one_verdict_each(clients, accepted)
        await asyncio.to_thread(own_system.screener.wait_ready)


async def test_a_restarted_screener_knows_what_was_seen(own_system: System, make_event: MakeEvent) -> None:
    async with connected(own_system) as clients:
        await clients.send(
            make_event(event_id="old", content="Meet me at the fountain at noon, bring the maps")
        )
        await clients.verdict("old")
        own_system.screener.process.send_signal(signal.SIGTERM)
        own_system.screener.stop()
        own_system.screener.start()
        await asyncio.to_thread(own_system.screener.wait_ready)
        again = make_event(
            event_id="new", author_id="another", content="meet me at the fountain at noon and bring the maps"
        )
        await clients.send(again)
        verdict = await clients.verdict("new")
        assert [s.event_id for s in verdict.similar_events] == ["old"]
