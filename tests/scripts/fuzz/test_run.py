"""Hostile inputs at real services: a short run with a fixed seed, and every input that ever did harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.fuzz import garbage, oracle
from scripts.fuzz.call import Call, Target
from scripts.fuzz.door import Door
from scripts.fuzz.kinds import SHARES
from scripts.fuzz.run import Plan, run_fuzz
from scripts.system.system import System

REGRESSIONS = {
    file.stem: file.read_text() for file in sorted(Path(__file__).with_name("regressions").glob("*.txt"))
}


@pytest.mark.endurance
async def test_two_thousand_hostile_inputs_are_stood(system: System, tmp_path: Path) -> None:
    report = await run_fuzz(system, Plan(inputs=2_000, seed=20), failures=tmp_path)
    assert report.complaints == []
    assert report.rows.keys() == SHARES.keys() | {garbage.KIND}
    assert report.inputs >= 2_000
    assert report.good
    assert len(report.accepted) > report.good  # some of the hostile ones were valid, and had their verdicts


@pytest.mark.parametrize("name", REGRESSIONS)
async def test_what_once_did_harm_does_no_more(system: System, name: str) -> None:
    call = Call.decode(REGRESSIONS[name], kind="regression")
    addresses = {Target.INGEST: system.ingest_address, Target.SCREENER: system.screener_address}
    door = Door(addresses, api_key=system.api_key)
    try:
        answer = await door.send(call)
    finally:
        await door.close()
    assert oracle.complaints(call, answer) == []
    system.check()
