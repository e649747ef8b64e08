"""The direct way between real processes: verdicts come, nothing is lost, nothing is judged twice."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from seawall.ingest.v1 import ingest_pb2
from seawall.screening.v1 import screening_pb2

from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from scripts.drive.follow import follow
from scripts.system.services import Service
from scripts.system.system import System
from tests.fixtures.events import MakeEvent
from tests.fixtures.system import Clients, connected

TEXTS = [f"Line {i} of what somebody said in a quiet channel" for i in range(10)]
"""Few, so that the cache answers: an event is known by its author."""


@pytest.fixture(scope="module")
def direct_system() -> Iterator[System]:
    settings = {"DIRECT_LEASE_MS": "6000", "CLAIM_IDLE_MS": "1000"}
    with System(hand_off=HandOff.DIRECT, screeners=2, settings=settings) as running:
        yield running


@pytest.fixture
async def direct(direct_system: System) -> AsyncIterator[Clients]:
    await streams(direct_system, 2)
    async with connected(direct_system) as clients:
        yield clients


def metric(service: Service, sample: str) -> float:
    """A sample, by its name and labels."""
    found = re.findall(rf"^{re.escape(sample)} (\S+)$", service.metrics(), re.MULTILINE)
    return sum(float(value) for value in found)


async def streams(system: System, number: int) -> None:
    """Returns once ingest has so many streams to screeners."""
    async with asyncio.timeout(60):
        while await asyncio.to_thread(metric, system.ingest, "hand_off_streams") != number:
            await asyncio.sleep(0.05)


class Crowd:
    """Many authors, who each say something once."""

    def __init__(self, clients: Clients, make_event: MakeEvent, tag: str) -> None:
        self._clients = clients
        self._make_event = make_event
        self._tag = tag
        self.accepted: set[str] = set()
        self.ways: Counter[int] = Counter()

    async def say(self, n: int) -> None:
        """Sends `n` events in a batch; each of them must be accepted."""
        first = len(self.accepted)
        events = [
            self._make_event(
                event_id=f"{self._tag}-{i}", author_id=f"{self._tag}-{i}", content=TEXTS[i % len(TEXTS)]
            )
            for i in range(first, first + n)
        ]
        outcomes = await self._clients.send(*events)
        assert {outcome.code for outcome in outcomes} == {ingest_pb2.OUTCOME_CODE_ACCEPTED}
        self.accepted |= {outcome.event_id for outcome in outcomes}
        self.ways.update(outcome.hand_off for outcome in outcomes)

    async def say_on(self, until: asyncio.Event) -> None:
        """Goes on until told."""
        while not until.is_set():
            await self.say(5)
            await asyncio.sleep(0.1)

    async def has_one_verdict_each(self) -> None:
        await self._clients.until_drained()
        told = Counter(verdict.event_id for verdict in await self._clients.published())
        assert {event_id: told[event_id] for event_id in self.accepted} == dict.fromkeys(self.accepted, 1)
        assert await self._clients.store.xlen(ONLY.dead_letter) == 0


async def test_verdicts_come_over_the_streams(
    direct_system: System, direct: Clients, make_event: MakeEvent
) -> None:
    crowd = Crowd(direct, make_event, "plain")
    for _ in range(10):
        await crowd.say(20)
    assert crowd.ways[ingest_pb2.HAND_OFF_DIRECT] > 0
    await crowd.has_one_verdict_each()
    for screener in direct_system.screeners:
        assert metric(screener, 'screening_latency_seconds_count{hand_off="direct"}') > 0


async def test_a_killed_screener_loses_and_doubles_nothing(
    direct_system: System, direct: Clients, make_event: MakeEvent
) -> None:
    crowd = Crowd(direct, make_event, "killed")
    enough = asyncio.Event()
    talking = asyncio.create_task(crowd.say_on(enough))
    for screener in direct_system.screeners:
        await asyncio.sleep(1)
        screener.process.kill()
        screener.start()
        await asyncio.to_thread(screener.wait_ready)
    enough.set()
    await talking
    await crowd.has_one_verdict_each()


async def test_a_killed_ingest_leaves_its_events_to_the_lease(
    direct_system: System, direct: Clients, make_event: MakeEvent
) -> None:
    crowd = Crowd(direct, make_event, "orphans")
    await crowd.say(200)
    direct_system.ingest.process.kill()
    direct_system.ingest.start()
    await asyncio.to_thread(direct_system.ingest.wait_ready)
    await crowd.has_one_verdict_each()


async def test_without_screeners_events_are_accepted_and_judged_later(
    direct_system: System, direct: Clients, make_event: MakeEvent
) -> None:
    crowd = Crowd(direct, make_event, "alone")
    await crowd.say(20)
    for screener in direct_system.screeners:
        screener.stop()
    await streams(direct_system, 0)
    await crowd.say(100)
    assert crowd.ways[ingest_pb2.HAND_OFF_STREAM] == 100
    assert await asyncio.to_thread(direct_system.ingest.is_ready)
    assert await direct.store.xlen(ONLY.raw) >= 100
    for screener in direct_system.screeners:
        screener.start()
    for screener in direct_system.screeners:
        await asyncio.to_thread(screener.wait_ready)
    await crowd.has_one_verdict_each()


async def test_who_waits_and_who_watches_notice_no_rolling_restart(
    direct_system: System, direct: Clients, make_event: MakeEvent
) -> None:
    answered: list[str] = []
    watched: list[str] = []
    begun, enough = asyncio.Event(), asyncio.Event()

    async def watch() -> None:
        request = screening_pb2.WatchVerdictsRequest()
        address = direct_system.screeners[0].address
        async for message in follow(address, request, api_key=direct_system.api_key, report=print):
            begun.set()
            if message.verdict.event_id.startswith("waited"):
                watched.append(message.verdict.event_id)

    async def ask() -> None:
        while not enough.is_set():
            name = f"waited-{len(answered)}"
            event = make_event(event_id=name, author_id=name, content=TEXTS[len(answered) % len(TEXTS)])
            request = ingest_pb2.IngestRequest(event=event.to_proto(), wait_for_verdict=True)
            request.verdict_timeout.FromSeconds(60)
            answer = await direct.ingest.Ingest(request, metadata=direct.metadata, timeout=90)
            assert answer.verdict.event_id == name
            answered.append(name)

    watching, asking = asyncio.create_task(watch()), asyncio.create_task(ask())
    await begun.wait()
    already = len(answered)
    for screener in direct_system.screeners:
        await asyncio.to_thread(screener.stop)
        screener.start()
        await asyncio.to_thread(screener.wait_ready)
    enough.set()
    await asking
    async with asyncio.timeout(60):
        while not {*answered[already + 1 :]} <= {*watched}:
            assert not watching.done()
            await asyncio.sleep(0.05)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert len(answered) > already
    assert max(Counter(watched).values()) == 1


async def test_a_rolling_restart_fails_nothing(
    direct_system: System, direct: Clients, make_event: MakeEvent
) -> None:
    crowd = Crowd(direct, make_event, "rolling")
    enough = asyncio.Event()
    talking = asyncio.create_task(crowd.say_on(enough))
    for screener in direct_system.screeners:
        await asyncio.to_thread(screener.stop)
        assert not talking.done()
        screener.start()
        await asyncio.to_thread(screener.wait_ready)
        await streams(direct_system, 2)
    enough.set()
    await talking
    await crowd.has_one_verdict_each()
