"""Rules that are not asked would have found nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from screener.heuristics import Heuristics, Rules
from screener.heuristics.shape_rules import ShapeRules
from screener.heuristics.shapes import SHAPES
from screener.text import Normalised, normalise
from scripts.fuzz import bombs
from tests.fixtures.screening import HEURISTICS

RULES = HEURISTICS.rules
TEXTS = [
    *(bombs.text(name, length) for name in bombs.NAMES for length in (12, 300)),
    "hello there, how are you?",
    "lol ok",
    "hahaha \U0001f602\U0001f602",
    "earn $500 a day, apply at jobs@example.com",
    "@everyone look",
    "noooooo WAY",
    "you \U0001f437 pig \U0001f52a kill",
    "see https://bit.ly/x and example.com",
    "call 555 123 4567 now!!!",
]


def found(rules: Rules, text: Normalised) -> set[str]:
    asked = ShapeRules(rules).worth_asking(text)
    return {rule.name for rule, find in asked if find(text.content, text, rule.shape)}


@pytest.mark.parametrize("content", TEXTS)
def test_those_worth_asking_are_all_that_find_something(content: str) -> None:
    text = normalise(content, RULES.vocabulary)
    every = {name for name, (find, _) in SHAPES.items() if find(content, text, RULES.rules[name].shape)}
    assert found(RULES, text) == every


def test_a_deployment_that_asks_for_no_bait_has_none(tmp_path: Path) -> None:
    custom = tmp_path / "custom.toml"
    custom.write_text("[rules.money_amount]\nlimits = { bait = 0 }\n")
    rules = Heuristics(Rules.load(custom=custom)).rules
    text = normalise("that was $500", rules.vocabulary)
    assert "money_amount" in found(rules, text)
    assert "money_amount" not in found(RULES, text)
