"""Each part is killed under load, with events going either way: nothing is lost, doubled or told falsely."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from pipeline.hand_off import HandOff
from scripts.chaos.faults import FAULTS
from scripts.chaos.proxy import Proxy
from scripts.chaos.run import Plan, breakable_system, run_chaos
from scripts.system.system import System

BY_NAME = {fault.name: fault for fault in FAULTS}
KILLS = ("ingest killed", "Redis killed", "a screener killed", "Triton killed", "all screeners away")
WAKES_UP = "a screener frozen"


@pytest.fixture
def breakable() -> Iterator[tuple[System, Proxy]]:
    with breakable_system(minutes=10, report=print) as running:
        yield running


@pytest.mark.endurance
@pytest.mark.timeout(900)
def test_whatever_is_killed_each_event_has_one_verdict(breakable: tuple[System, Proxy]) -> None:
    system, network = breakable
    order = [(way, BY_NAME[name]) for way in HandOff for name in (*KILLS, WAKES_UP)]
    plan = Plan(order=order, seconds=600, outage_s=2, events_per_second=60, seed=20)
    report = asyncio.run(run_chaos(system, network, plan, print))
    assert report.complaints == ()
    tally = report.total.tally
    assert (tally.lost, tally.doubled) == (0, 0)
    assert tally.verdicts == tally.accepted
    rows = {row.name: row for row in report.rows}
    for way, fault in order:
        row = rows[f"{fault.name} ({way.label})"]
        assert row.times == 1
        assert row.tally.accepted > 0
