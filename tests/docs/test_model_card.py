"""The model card tells the figures of the weights that are committed."""

from __future__ import annotations

import json

from training.card import CARD, REPORT, refreshed


def test_the_card_has_the_figures_of_the_report() -> None:
    card, report = CARD.read_text(encoding="utf-8"), json.loads(REPORT.read_text())
    assert refreshed(card, report) == card, "run python -m training.card"


def test_another_report_makes_another_card() -> None:
    card, report = CARD.read_text(encoding="utf-8"), json.loads(REPORT.read_text())
    report["splits"]["test"]["outputs"]["SPAM"]["auprc"] = 0.123
    report["stand_ins"] = {"elsewhere": {"TOXIC": 0.456}}
    changed = refreshed(card, report)
    assert ".123" in changed
    assert "| `elsewhere` | TOXIC .456 |" in changed
