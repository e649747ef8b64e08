"""The table of the rules on the page, which must say what the rules file says."""

from __future__ import annotations

import pytest

from screener.heuristics import Rules
from training.rule_firings import Precision
from training.rule_precision import PAGE
from training.rule_table import Claim, Measured, claimed, claims, refreshed, shown, table

RULES = Rules.load().rules
PLAIN = Measured((Precision(20, 0.9, 3.0), Precision(9, 1.0, 4.0)), Precision(20, 0.95, 2.0), 0.0123, None)


def test_the_page_shows_every_rule_with_its_weight_and_evidence() -> None:
    assert claimed(PAGE.read_text(encoding="utf-8")) == shown(RULES), (
        "run: python -m training.rule_precision DATA_FOLDER --scores FILE --write"
    )


def test_a_rule_has_a_row_for_each_category_that_it_speaks_for() -> None:
    found = {(claim.rule, claim.category): claim.evidence for claim in claims(RULES)}
    assert found["insult", "TARGETED_HARASSMENT"] == 0.85
    assert found["insult", "TOXIC"] == 0.95
    assert found["slur", "HATE_SPEECH"] == 0.0
    assert found["link", "any harm"] == 0.0


def test_figures_of_any_harm_stand_once_and_few_rows_tell_no_share() -> None:
    lines = table(
        [(Claim("a", 0.5, "SPAM", 0.9), PLAIN), (Claim("a", 0.5, "SEXUAL", 0.0), PLAIN)]
    ).splitlines()
    assert lines[2] == "| `a` | 0.50 | SPAM | 0.90 | 20 | 0.90 | 3.0 | 0.95 | 2.0 | +0.0123 | - | 9 | - |"
    assert lines[3] == "| `a` | 0.50 | SEXUAL | - | 20 | 0.90 | 3.0 |  |  |  |  | 9 | - |"


def test_a_page_takes_the_new_table_and_keeps_the_rest() -> None:
    page = "before\n<!-- rules -->\nold\n<!-- end of rules -->\nafter\n"
    new = table([(Claim("a", 0.5, "SPAM", 0.9), PLAIN)])
    fresh = refreshed(page, new)
    assert fresh == f"before\n<!-- rules -->\n{new}<!-- end of rules -->\nafter\n"
    assert claimed(fresh) == [("`a`", "0.50", "SPAM", "0.90")]


def test_a_page_without_markers_is_told() -> None:
    with pytest.raises(ValueError, match="markers"):
        claimed("no table here")
