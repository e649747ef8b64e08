from __future__ import annotations

import pytest

from pipeline.verdict import Category, Route
from scripts.drive.ledger import Answer, Ledger


def sent(*ids: str) -> Ledger:
    ledger = Ledger()
    for number, event_id in enumerate(ids):
        ledger.sent(event_id, float(number))
    return ledger


def judged(ledger: Ledger, event_id: str, at: float = 10.0) -> float | None:
    return ledger.verdict(event_id, category=Category.SPAM, route=Route.REASONING_QUEUE, at=at)


@pytest.mark.parametrize("verdict_first", [False, True])
def test_one_event_one_verdict(verdict_first: bool) -> None:
    ledger = sent("a")
    if verdict_first:
        judged(ledger, "a")
    ledger.answered("a", Answer.ACCEPTED)
    assert ledger.open == (0 if verdict_first else 1)
    if not verdict_first:
        judged(ledger, "a")
    assert (ledger.open, ledger.verdicts, ledger.lost, ledger.doubled) == (0, 1, 0, 0)
    assert ledger.latencies_s == [10.0]
    assert ledger.counts.categories[Category.SPAM] == 1


def test_an_accepted_event_without_a_verdict_is_lost() -> None:
    ledger = sent("a", "b")
    ledger.answered("a", Answer.ACCEPTED)
    ledger.answered("b", Answer.ACCEPTED)
    judged(ledger, "a")
    assert (ledger.open, ledger.lost) == (1, 1)


def test_a_second_verdict_is_a_doubled_one() -> None:
    ledger = sent("a")
    ledger.answered("a", Answer.ACCEPTED)
    judged(ledger, "a")
    judged(ledger, "a", at=20.0)
    assert (ledger.open, ledger.verdicts, ledger.doubled) == (0, 1, 1)
    assert ledger.latencies_s == [10.0]


def test_a_dead_letter_is_not_lost_but_beside_a_verdict_doubled() -> None:
    ledger = sent("a")
    ledger.answered("a", Answer.ACCEPTED)
    ledger.dead_letter("a")
    assert (ledger.open, ledger.dead_letters, ledger.lost, ledger.doubled) == (0, 1, 0, 0)
    judged(ledger, "a")
    assert ledger.doubled == 1


def test_duplicates_and_rejections_get_no_verdict() -> None:
    ledger = sent("a", "b")
    ledger.answered("a", Answer.DUPLICATE, duplicate_of="earlier")
    ledger.answered("b", Answer.REJECTED)
    ledger.unreadable()
    assert (ledger.open, ledger.counts.duplicates, ledger.counts.rejected, ledger.lost) == (0, 1, 2, 0)


def test_the_same_id_sent_twice_is_accepted_once() -> None:
    ledger = sent("a", "a")
    ledger.answered("a", Answer.ACCEPTED)
    ledger.answered("a", Answer.DUPLICATE, duplicate_of="a")
    judged(ledger, "a")
    assert (ledger.open, ledger.counts.accepted, ledger.counts.duplicates) == (0, 1, 1)
    assert ledger.latencies_s == [10.0]


def test_a_duplicate_of_itself_after_a_lost_answer_was_accepted() -> None:
    ledger = sent("a")
    ledger.answered("a", Answer.DUPLICATE, duplicate_of="a", repeated=True)
    assert (ledger.counts.accepted, ledger.counts.duplicates, ledger.open) == (1, 0, 1)


def test_after_a_lost_answer_only_one_sending_was_accepted() -> None:
    ledger = sent("a", "a")
    ledger.answered("a", Answer.ACCEPTED)
    ledger.answered("a", Answer.DUPLICATE, duplicate_of="a", repeated=True)
    assert (ledger.counts.accepted, ledger.counts.duplicates) == (1, 1)


def test_verdicts_of_others_are_no_concern() -> None:
    ledger = sent("a")
    assert judged(ledger, "left over") is None
    ledger.dead_letter("left over")
    assert (ledger.open, ledger.verdicts, ledger.dead_letters) == (1, 0, 0)
