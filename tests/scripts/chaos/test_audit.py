"""What the audit says of made-up histories."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.record import RecordState
from scripts.chaos.audit import Tally, audit
from scripts.chaos.end_state import EndState
from scripts.chaos.ledger import Ledger


def told_in(*event_ids: str) -> Ledger:
    ledger = Ledger()
    ledger.during = "storm"
    for event_id in event_ids:
        ledger.sent(event_id, 1.0)
        ledger.told_accepted(event_id, 2.0)
    return ledger


def screened(*event_ids: str) -> EndState:
    return EndState(
        verdicts=dict.fromkeys(event_ids, 1),
        dead_letters={},
        states=dict.fromkeys(event_ids, RecordState.SCREENED),
        left=0,
        pending=0,
    )


def test_one_verdict_each_is_sound() -> None:
    findings = audit(told_in("a", "b"), screened("a", "b"))
    assert findings.tallies == {"storm": Tally(accepted=2, verdicts=2)}
    assert findings.complaints == ()


def test_an_accepted_event_without_verdict_is_lost() -> None:
    findings = audit(told_in("a", "b"), replace(screened("a", "b"), verdicts={"a": 1}))
    assert findings.tallies == {"storm": Tally(accepted=2, verdicts=1, lost=1)}
    assert findings.complaints == ("1 events lost: b",)


def test_an_event_told_duplicate_without_verdict_is_lost() -> None:
    ledger = told_in("a")
    ledger.sent("b", 1.0)
    ledger.without_answer("b")
    ledger.told_duplicate("b", 2.0, duplicate_of="b")
    findings = audit(ledger, replace(screened("a", "b"), verdicts={"a": 1}))
    assert findings.tallies["storm"].lost == 1


def test_a_second_verdict_is_doubled() -> None:
    findings = audit(told_in("a", "b"), replace(screened("a", "b"), verdicts={"a": 3, "b": 1}))
    assert findings.tallies == {"storm": Tally(accepted=2, verdicts=2, doubled=2)}
    assert findings.complaints == ("1 events doubled: a",)


def test_a_verdict_and_a_dead_letter_are_one_too_many() -> None:
    findings = audit(told_in("a"), replace(screened("a"), dead_letters={"a": 1}))
    assert findings.tallies["storm"].doubled == 1
    assert findings.complaints == ("1 events dead-lettered without being poison: a",)


@pytest.mark.parametrize("state", [None, RecordState.QUEUED, RecordState.DEAD_LETTERED])
def test_the_record_must_say_screened(state: RecordState | None) -> None:
    findings = audit(told_in("a"), replace(screened("a"), states={"a": state}))
    assert findings.complaints == ("1 events in, while their record does not say SCREENED: a",)


def test_a_verdict_of_an_event_that_nobody_sent() -> None:
    findings = audit(told_in("a"), screened("a", "b"))
    assert findings.complaints == ("1 events with a verdict, never told in: b",)


def test_an_event_without_answer() -> None:
    ledger = told_in("a")
    ledger.sent("b", 1.0)
    assert audit(ledger, screened("a")).complaints == ("1 events sent and never answered: b",)


def test_false_answers() -> None:
    ledger = told_in("a", "b", "c")
    ledger.told_accepted("a", 3.0)
    ledger.told_duplicate("b", 3.0, duplicate_of="c")
    ledger.told_rejected("c")
    assert audit(ledger, screened("a", "b", "c")).complaints == (
        "1 events told ACCEPTED twice: a",
        "1 events told DUPLICATE without having been sent before: b",
        "1 events rejected: c",
    )


@pytest.mark.parametrize(
    ("dead_letters", "complaints"),
    [
        ({"p": 1}, ()),
        ({}, ("1 events poison without its one dead letter: p",)),
        ({"p": 2}, ("1 events poison without its one dead letter: p",)),
    ],
)
def test_poison_ends_as_one_dead_letter(dead_letters: dict[str, int], complaints: tuple[str, ...]) -> None:
    ledger = told_in("a")
    ledger.poisoned("p", 1.0)
    assert audit(ledger, replace(screened("a"), dead_letters=dead_letters)).complaints == complaints


@pytest.mark.parametrize(("left", "pending"), [(1, 0), (0, 1)])
def test_the_queues_must_be_empty(left: int, pending: int) -> None:
    findings = audit(told_in("a"), replace(screened("a"), left=left, pending=pending))
    assert findings.complaints == (f"{left} entries left in events:raw and events:direct, {pending} pending",)


def test_only_statuses_that_ask_to_try_again_are_honest() -> None:
    ledger = told_in("a")
    for code in ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"):
        ledger.refused(code, "try again")
    assert audit(ledger, screened("a")).complaints == ()
    for _ in range(2):
        ledger.refused("INTERNAL", "internal error")
    assert audit(ledger, screened("a")).complaints == (
        "a call ended with INTERNAL (internal error) during: storm",
    )
    assert ledger.codes["INTERNAL"] == 2


def test_many_ids_are_not_all_named() -> None:
    ids = [f"e{number}" for number in range(9)]
    findings = audit(told_in(*ids), replace(screened(*ids), verdicts={}))
    assert findings.complaints == ("9 events lost: e0, e1, e2, …",)
