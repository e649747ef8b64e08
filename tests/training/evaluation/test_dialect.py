from __future__ import annotations

import tomllib
from typing import Any

import pytest

from screener.heuristics import Heuristics, Rules
from training.evaluation.dialect import MARKERS, Dialect

FILE = tomllib.loads(MARKERS.read_text(encoding="utf-8"))
DIALECT = Dialect.load()


@pytest.mark.parametrize("marker", FILE["marker"], ids=lambda marker: marker["name"])
def test_a_marker_matches_what_it_should_and_spares_the_rest(marker: dict[str, Any]) -> None:
    assert marker["matches"]
    assert marker["spares"]
    for text in marker["matches"]:
        assert marker["name"] in DIALECT.markers_in(text), text
        assert marker["name"] in DIALECT.markers_in(text.upper().replace("'", "\u2019")), text
    for text in marker["spares"]:
        assert marker["name"] not in DIALECT.markers_in(text), text


def test_every_marker_is_described_somewhere() -> None:
    cited = {name for marker in FILE["marker"] for name in marker["described"]}
    assert all(marker["described"] for marker in FILE["marker"])
    assert cited == set(FILE["references"])


@pytest.mark.parametrize(
    "text",
    [
        "The committee will be meeting on Tuesday.",
        "I am going to the shop, do you want anything?",
        "they have been so kind to us, and she is a good friend",
        "What is wrong with that data?",
    ],
)
def test_general_english_has_no_marker(text: str) -> None:
    assert DIALECT.markers_in(text) == []


def test_no_marker_is_a_slur_or_a_swear_word() -> None:
    texts = [text for marker in FILE["marker"] for text in marker["matches"]]
    words = {word for text in texts for word in text.replace("'", "").split()}
    heuristics = Heuristics(Rules.load())
    assert not {word for word in words if heuristics.score(word).flags}
