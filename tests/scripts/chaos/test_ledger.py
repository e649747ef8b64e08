"""What the ledger of a chaos run makes of the answers."""

from __future__ import annotations

import pytest

from scripts.chaos.ledger import Ledger


@pytest.fixture
def ledger() -> Ledger:
    """One event, `a`, was sent at 1 s while nothing went on."""
    ledger = Ledger()
    ledger.during = "calm"
    ledger.sent("a", 1.0)
    return ledger


def test_an_event_belongs_to_what_went_on_when_it_got_in(ledger: Ledger) -> None:
    ledger.during = "storm"
    ledger.told_accepted("a", 2.0)
    ledger.during = "calm"
    assert ledger.got_in == {"a": "storm"}
    assert ledger.accepted == 1
    assert ledger.unanswered == []


@pytest.mark.parametrize(("queue_ms", "wrong"), [(0.0, []), (90_000.0, []), (-1.0, ["a"]), (3.6e6, ["a"])])
def test_a_wait_that_only_a_clock_can_have_made_is_noted(
    ledger: Ledger, queue_ms: float, wrong: list[str]
) -> None:
    ledger.waited("a", queue_ms)
    assert ledger.wrongly_timed == wrong


def test_accepted_is_told_once(ledger: Ledger) -> None:
    ledger.told_accepted("a", 2.0)
    assert ledger.false_accepted == []
    ledger.told_accepted("a", 3.0)
    assert ledger.false_accepted == ["a"]
    assert ledger.accepted == 1


def test_a_duplicate_of_itself_after_a_lost_answer_is_in(ledger: Ledger) -> None:
    ledger.without_answer("a")
    ledger.told_duplicate("a", 2.0, duplicate_of="a")
    assert ledger.is_in("a")
    assert ledger.false_duplicates == []


def test_a_duplicate_of_itself_after_accepted_is_true(ledger: Ledger) -> None:
    ledger.told_accepted("a", 2.0)
    ledger.told_duplicate("a", 3.0, duplicate_of="a")
    assert ledger.false_duplicates == []
    assert ledger.accepted == 1


@pytest.mark.parametrize("lost_answer", [False, True])
def test_a_duplicate_of_another_is_false(ledger: Ledger, lost_answer: bool) -> None:
    if lost_answer:
        ledger.without_answer("a")
    ledger.told_duplicate("a", 2.0, duplicate_of="b")
    assert ledger.false_duplicates == ["a"]


def test_a_duplicate_at_the_first_try_is_false(ledger: Ledger) -> None:
    ledger.told_duplicate("a", 2.0, duplicate_of="a")
    assert ledger.false_duplicates == ["a"]


def test_settled_asks_for_answer_and_verdict(ledger: Ledger) -> None:
    assert not ledger.answered(1.5)
    ledger.told_accepted("a", 2.0)
    assert ledger.answered(1.5)
    assert ledger.screened(1.5)  # it was not in yet
    assert not ledger.settled(2.5)
    ledger.sent("b", 3.0)
    ledger.seen("a")
    assert ledger.settled(2.5)
    assert not ledger.settled(3.5)


def test_a_verdict_may_come_before_the_answer(ledger: Ledger) -> None:
    ledger.seen("a")
    ledger.told_accepted("a", 2.0)
    assert ledger.has_verdict("a")
    assert ledger.settled(3.0)


def test_poison_is_waited_for_until_it_is_a_dead_letter(ledger: Ledger) -> None:
    ledger.told_accepted("a", 2.0)
    ledger.seen("a")
    ledger.poisoned("p", 3.0)
    assert not ledger.screened(4.0)
    ledger.seen("p")
    assert ledger.screened(4.0)
