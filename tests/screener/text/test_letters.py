"""Single characters, and how much is remembered of them."""

from __future__ import annotations

from screener.text.letters import FOLDING, fold_character, is_unassigned
from screener.text.plain import plain
from tests.fixtures.screening import HEURISTICS

EMPTY = [chr(code) for code in range(0x40000, 0x110000, 997)]  # planes without a character
OWN = [chr(code) for code in range(0xE000, 0xF900, 13)]


def test_code_points_without_a_character_stay_as_they_are_and_are_not_remembered() -> None:
    plain("".join([*EMPTY, *OWN]), HEURISTICS.rules.vocabulary)
    assert [FOLDING[character] for character in [*EMPTY, *OWN]] == [*EMPTY, *OWN]
    assert FOLDING.keys().isdisjoint([*EMPTY, *OWN])


def test_not_remembering_changes_nothing() -> None:
    for character in map(chr, range(0, 0x30000, 11)):
        assert FOLDING[character] == fold_character(character)
        assert (character in FOLDING) is not is_unassigned(character)
