"""`seawall chaos`, as far as it can be wrong before it starts anything."""

from __future__ import annotations

import pytest

from scripts.chaos.faults import FAULTS
from scripts.cli import execute


def test_an_unknown_fault_is_told_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["chaos", "--fault", "Redis slow", "--fault", "earthquake"]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert all(fault.name in told for fault in FAULTS)


def test_no_two_faults_have_one_name() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
