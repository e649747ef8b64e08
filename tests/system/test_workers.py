"""Both services with two workers each, as real processes: one verdict an event, and one index for all."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.processor import children
from scripts.system.system import System
from tests.fixtures.events import MakeEvent
from tests.fixtures.system import Clients, connected

EVENTS = 40
SAME = "win a free phone today, claim your prize before midnight at https://prizes.example, code {}"


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with System(settings={"INGEST_WORKERS": "2", "SCREENER_WORKERS": "2", "BATCH_SIZE": "2"}) as running:
        yield running


@pytest.fixture
async def clients(system: System) -> AsyncIterator[Clients]:
    async with connected(system) as found:
        yield found


def process_of(system: System, part: str) -> int:
    """The process id of one of the screener's."""
    for pid in children(system.screener.process.pid):
        if part in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
            return pid
    raise AssertionError(f"no {part}")


def screened_by(system: System) -> Counter[str]:
    """Verdicts, by the worker that published them."""
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(system.screener.metrics()):
        for sample in family.samples:
            if sample.name == "events_screened_total":
                found[sample.labels["process"]] += int(sample.value)
    return found


async def test_each_event_has_one_verdict_and_all_workers_know_all_events(
    system: System, clients: Clients, make_event: MakeEvent
) -> None:
    # One after the other, so that each finds the earlier ones in the index, whoever judged them.
    events = [
        make_event(event_id=f"same-{number}", author_id=f"author-{number}", content=SAME.format(number))
        for number in range(EVENTS)
    ]
    for at in range(0, EVENTS, 4):
        await clients.send(*events[at : at + 4])
        await clients.until_drained()
    verdicts = {verdict.event_id: verdict for verdict in await clients.published()}
    assert len(verdicts) == len(await clients.published()) == EVENTS
    by_worker = screened_by(system)
    assert sum(by_worker.values()) == EVENTS
    assert set(by_worker) == {"worker-1", "worker-2"}
    last = verdicts[f"same-{EVENTS - 1}"]
    assert last.campaign is not None
    assert last.campaign.size > by_worker.most_common(1)[0][1]  # so it counts events of both


async def test_events_wait_for_an_index_that_is_killed(
    system: System, clients: Clients, make_event: MakeEvent
) -> None:
    index = process_of(system, "index")
    os.kill(index, signal.SIGKILL)
    await clients.send(make_event(event_id="waited", author_id="patient", content=SAME.format("waited")))
    verdict = await clients.verdict("waited", within_s=60)
    assert verdict.HasField("campaign")
    assert process_of(system, "index") != index
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(system.screener.is_ready):
            await asyncio.sleep(0.05)
