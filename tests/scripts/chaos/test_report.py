"""A chaos run in numbers, and as people see it."""

from __future__ import annotations

import io

from rich.console import Console

from scripts.chaos.audit import Findings, Tally
from scripts.chaos.report import Report, Struck, report_of
from scripts.chaos.table import show

TALLIES = {"calm": Tally(5, 5), "storm": Tally(20, 19, lost=1), "flood": Tally(30, 30, doubled=2)}
STRUCK = [Struck("storm", 1.0, 4.0), Struck("flood", 0.5, 0.6), Struck("storm", 3.0, 3.5)]


def report(*complaints: str) -> Report:
    return made_of(Findings(TALLIES, complaints), "a part was slow")


def made_of(findings: Findings, *complaints: str) -> Report:
    return report_of(
        STRUCK, findings, complaints=complaints, notes=["Triton was started anew"], codes={"UNAVAILABLE": 3}
    )


def test_each_kind_has_its_times_its_counts_and_its_longest() -> None:
    rows = {row.name: row for row in report().rows}
    assert (rows["storm"].times, rows["storm"].recovery_s, rows["storm"].whole_s) == (2, 3.0, 4.0)
    assert rows["storm"].tally == Tally(20, 19, lost=1)
    assert (rows["calm"].times, rows["calm"].tally.accepted) == (0, 5)
    assert report().total.tally == Tally(55, 54, lost=1, doubled=2)
    assert report().total.times == 3


def test_complaints_of_both_are_told() -> None:
    assert report("1 events lost: x").complaints == ("a part was slow", "1 events lost: x")


def test_sound_is_a_run_without_any_fault_of_ours() -> None:
    good = Findings({"storm": Tally(5, 5)}, ())
    assert made_of(good).sound
    assert not made_of(good, "slow").sound
    assert not made_of(Findings({"storm": Tally(5, 5, doubled=1)}, ())).sound
    assert not made_of(Findings({"storm": Tally(5, 4, lost=1)}, ())).sound


def test_the_table_has_every_number() -> None:
    out = io.StringIO()
    show(report("1 events lost: x"), Console(file=out, width=120))
    lines = {line.split()[0]: line.split()[1:] for line in out.getvalue().splitlines() if line.strip()}
    assert " ".join(cell for cell in lines["storm"] if cell != "│") == "2 20 19 1 0 3.0 s 4.0 s"
    assert "3 UNAVAILABLE" in out.getvalue()
    assert "Triton was started anew" in out.getvalue()
    assert "a part was slow" in out.getvalue()
