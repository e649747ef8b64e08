from __future__ import annotations

import json

import pytest

from scripts.audit_dependencies import EXCEPTIONS, AuditFileWrong, accepted, known_faults, verdict

REPORT = json.dumps(
    {
        "dependencies": [
            {"name": "good", "version": "1", "vulns": []},
            {"name": "bad", "version": "1", "vulns": [{"id": "GHSA-1"}, {"id": "PYSEC-2"}]},
            {"name": "own", "skip_reason": "is nowhere"},
        ],
        "fixes": [],
    }
)
REASON = "we never call the part that is wrong"


def test_each_fault_is_found_by_package_and_advisory() -> None:
    assert known_faults(REPORT) == {"bad GHSA-1", "bad PYSEC-2"}


@pytest.mark.parametrize("report", ["", "Traceback", "[]", "{}"])
def test_without_a_report_nothing_is_known_and_that_is_said_loudly(report: str) -> None:
    assert known_faults(report) is None
    status, words = verdict(None, {})
    assert (status, "NOT AUDITED" in words) == (0, True)


def test_a_fault_without_a_reason_fails() -> None:
    status, words = verdict({"bad GHSA-1", "bad PYSEC-2"}, {"bad GHSA-1": REASON})
    assert (status, "bad PYSEC-2" in words, "GHSA-1" in words) == (1, True, False)


def test_with_reasons_it_passes() -> None:
    assert verdict({"bad GHSA-1"}, {"bad GHSA-1": REASON})[0] == 0


def test_a_reason_that_is_not_needed_any_more_fails() -> None:
    status, words = verdict(set(), {"bad GHSA-1": REASON})
    assert (status, "bad GHSA-1" in words) == (1, True)


def test_every_exception_has_its_reason() -> None:
    accepted(EXCEPTIONS.read_text())  # raises where one has none
    assert accepted(f"# why\n\nbad GHSA-1: {REASON}\n") == {"bad GHSA-1": REASON}


@pytest.mark.parametrize("line", ["bad GHSA-1", "bad GHSA-1: no", "GHSA-1: because it is so and so, really"])
def test_a_line_without_a_reason_is_none(line: str) -> None:
    with pytest.raises(AuditFileWrong):
        accepted(line)
