from __future__ import annotations

import orjson
import pytest

from pipeline.verdict import Category, Route
from scripts.drive.ledger import Answer, Ledger
from scripts.drive.summary import percentile, summarise


def test_a_run_in_numbers() -> None:
    ledger = Ledger()
    for number in range(100):
        ledger.sent(f"e{number}", 0.0)
        ledger.answered(f"e{number}", Answer.ACCEPTED)
        route = Route.LOW_RISK if number % 4 else Route.REASONING_QUEUE
        category = Category.LOW_RISK if number % 2 else Category.TOXIC
        ledger.verdict(f"e{number}", category=category, route=route, at=(number + 1) / 100)
    summary = summarise(ledger)
    assert (summary.accepted, summary.verdicts, summary.lost, summary.doubled) == (100, 100, 0, 0)
    assert (summary.seconds, summary.events_per_second) == (1.0, 100.0)
    assert (summary.p50_ms, summary.p99_ms) == (500.0, 990.0)
    assert summary.routes == {"low_risk": 75, "reasoning_queue": 25}
    assert summary.categories["TOXIC"] == summary.categories["LOW_RISK"] == 50
    assert sum(summary.categories.values()) == 100
    assert summary.sound
    assert orjson.loads(orjson.dumps(summary.to_json()))["p99_ms"] == 990.0


def test_a_run_without_verdicts() -> None:
    ledger = Ledger()
    ledger.sent("a", 0.0)
    ledger.answered("a", Answer.ACCEPTED)
    summary = summarise(ledger)
    assert (summary.lost, summary.events_per_second, summary.p50_ms, summary.sound) == (1, 0.0, None, False)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([], 50, None), ([5.0], 99, 5.0), ([3.0, 1.0, 2.0], 50, 2.0), ([1.0, 2.0], 99, 2.0)],
)
def test_percentile(values: list[float], percent: float, expected: float | None) -> None:
    assert percentile(values, percent) == expected
