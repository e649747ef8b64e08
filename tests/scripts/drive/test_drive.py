"""Real ingest and Redis; the verdicts are written by the test, so that it can lose and double them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest
import redis.asyncio as aioredis

from pipeline.event import Event
from pipeline.keys import GROUP, ONLY
from pipeline.verdict import Verdict
from scripts.drive.drive import Target, drive
from scripts.drive.ledger import Ledger
from scripts.drive.summary import summarise
from scripts.errors import BadRow, CommandFailed
from scripts.rows.events import EventRow
from scripts.system.system import Part, System
from tests.fixtures.events import MakeEvent
from tests.fixtures.verdicts import a_verdict

PATIENCE_S = 1.0


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with System(parts=frozenset({Part.REDIS, Part.INGEST})) as running:
        yield running


class Shown:
    def __init__(self) -> None:
        self.verdicts: list[str] = []
        self.rejections: list[tuple[int, str]] = []

    def verdict(self, event: Event, verdict: Verdict, latency_s: float) -> None:
        assert event.event_id == verdict.event_id
        assert latency_s > 0
        self.verdicts.append(event.event_id)

    def rejected(self, line: int, problem: str) -> None:
        self.rejections.append((line, problem))

    def progress(self, ledger: Ledger) -> None:
        pass


async def run(
    system: System, rows: Sequence[EventRow | BadRow], *, verdicts: int, in_flight: int = 8
) -> tuple[Ledger, Shown]:
    """Drives the rows while something like a screener writes so many verdicts for each event."""

    async def chunks() -> AsyncIterator[Sequence[EventRow | BadRow]]:
        yield rows

    client = aioredis.Redis.from_url(system.redis_url)
    await client.flushall()
    await client.xgroup_create(ONLY.raw, GROUP, mkstream=True)
    screening = asyncio.create_task(judge_all(client, verdicts))
    shown = Shown()
    target = Target(system.ingest_address, system.api_key, system.redis_url)
    try:
        ledger = await drive(
            target, chunks(), shown, in_flight=in_flight, check=system.check, patience_s=PATIENCE_S
        )
    finally:
        screening.cancel()
        await asyncio.gather(screening, return_exceptions=True)
        await client.aclose()
    return ledger, shown


async def judge_all(client: aioredis.Redis, verdicts: int) -> None:
    position = b"0-0"
    while True:
        entries: Any = await client.xrange(ONLY.raw, min=b"(" + position)
        for entry_id, fields in entries:
            position = entry_id
            event = Event.decode(fields[b"event"])
            for _ in range(verdicts):
                await client.xadd(
                    ONLY.low_risk, {"event_id": event.event_id, "payload": verdict(event).encode()}
                )
        await asyncio.sleep(0.01)


def verdict(event: Event) -> Verdict:
    return a_verdict(event.event_id, platform=event.platform, author_id=event.author_id)


def rows_of(make_event: MakeEvent, count: int) -> list[EventRow | BadRow]:
    return [EventRow(n, make_event(event_id=f"e-{n}", content=f"message {n}")) for n in range(1, count + 1)]


async def test_every_event_gets_its_verdict(system: System, make_event: MakeEvent) -> None:
    ledger, shown = await run(system, rows_of(make_event, 300), verdicts=1)
    summary = summarise(ledger)
    assert (summary.accepted, summary.verdicts, summary.lost, summary.doubled) == (300, 300, 0, 0)
    assert summary.sound
    assert sorted(shown.verdicts) == sorted(f"e-{n}" for n in range(1, 301))


async def test_the_same_rows_again_are_duplicates(system: System, make_event: MakeEvent) -> None:
    rows = rows_of(make_event, 50)
    ledger, shown = await run(system, [*rows, *rows], verdicts=1)
    summary = summarise(ledger)
    assert (summary.accepted, summary.duplicates, summary.verdicts) == (50, 50, 50)
    assert len(shown.verdicts) == 50


async def test_without_verdicts_all_are_lost(system: System, make_event: MakeEvent) -> None:
    ledger, _ = await run(system, rows_of(make_event, 5), verdicts=0)
    summary = summarise(ledger)
    assert (summary.accepted, summary.lost, summary.sound) == (5, 5, False)


async def test_second_verdicts_are_seen(system: System, make_event: MakeEvent) -> None:
    ledger, shown = await run(system, rows_of(make_event, 5), verdicts=2)
    assert (ledger.verdicts, ledger.doubled) == (5, 5)
    assert len(shown.verdicts) == 5


async def test_rejections_of_both_kinds_are_shown_with_their_line(
    system: System, make_event: MakeEvent
) -> None:
    rows = [
        BadRow(1, "not valid JSON"),
        EventRow(2, make_event(event_id="no spaces")),
        *rows_of(make_event, 1),
    ]
    ledger, shown = await run(system, rows, verdicts=1)
    assert (ledger.counts.rejected, ledger.counts.accepted) == (2, 1)
    assert shown.rejections[0] == (1, "not valid JSON")
    assert shown.rejections[1][0] == 2
    assert "event_id" in shown.rejections[1][1]


async def test_a_wrong_key_is_told_in_one_line(system: System, make_event: MakeEvent) -> None:
    async def chunks() -> AsyncIterator[Sequence[EventRow | BadRow]]:
        yield rows_of(make_event, 1)

    target = Target(system.ingest_address, "not-the-right-key", system.redis_url)
    with pytest.raises(CommandFailed, match="UNAUTHENTICATED"):
        await drive(target, chunks(), Shown(), in_flight=1, check=system.check, patience_s=PATIENCE_S)
