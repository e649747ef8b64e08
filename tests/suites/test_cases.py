"""The files of the behaviour suite are what docs/suites.md says: checked without any model."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pipeline.validation import content_violation
from pipeline.verdict import HARMFUL, Category, Route
from tests.suites import cases
from tests.suites.cases import Expectation, read_functionalities, read_slots
from tests.suites.floors import FLOORS, LEAST
from tests.suites.running import Scored

FUNCTIONALITIES = read_functionalities()
TEXTS = [text for functionality in FUNCTIONALITIES for text in functionality.texts]


def test_there_are_enough_cases_many_of_them_by_hand() -> None:
    assert len(FUNCTIONALITIES) >= 30
    assert len(TEXTS) >= 600
    assert sum(len(functionality.by_hand) for functionality in FUNCTIONALITIES) >= 250
    sizes = {functionality.name: len(functionality.texts) for functionality in FUNCTIONALITIES}
    assert not {name: size for name, size in sizes.items() if not 20 <= size <= 40}


def test_about_half_are_harmful_of_every_category() -> None:
    harmful = [functionality for functionality in FUNCTIONALITIES if functionality.expected.is_of_harm]
    assert 0.4 <= sum(len(functionality.texts) for functionality in harmful) / len(TEXTS) <= 0.6
    assert {label for functionality in harmful for label in functionality.expected.any_of} == set(HARMFUL)


def test_every_text_is_unique_and_a_valid_content() -> None:
    counts = Counter(" ".join(text.lower().split()) for text in TEXTS)
    assert not [text for text, count in counts.items() if count > 1]
    assert not [text for text in TEXTS if content_violation(text)]
    assert not [text for text in TEXTS if text != text.strip()]


def test_every_functionality_has_its_floor_and_its_words() -> None:
    names = [functionality.name for functionality in FUNCTIONALITIES]
    assert len(set(names)) == len(names)
    assert list(FLOORS) == names
    assert all(LEAST <= floor <= 1 for floor in FLOORS.values())
    assert all(functionality.shows for functionality in FUNCTIONALITIES)


def test_templates_go_through_all_words_for_people() -> None:
    expanded = [text for functionality in FUNCTIONALITIES for text in functionality.expanded]
    for word in read_slots()["people"]:
        kinds = {f.expected.is_of_harm for f in FUNCTIONALITIES if any(word in text for text in f.expanded)}
        assert kinds == {True, False}, word
    assert not [text for text in expanded if "{" in text or "}" in text]


def found(*labels: Category, routed: bool = False) -> Scored:
    return Scored(
        text="a text",
        risk_score=0.5,
        labels=frozenset(labels),
        category=labels[0] if labels else Category.LOW_RISK,
        route=Route.REASONING_QUEUE if routed else Route.LOW_RISK,
    )


@pytest.mark.parametrize(
    ("expected", "outcome", "holds"),
    [
        ('any_of = ["SPAM", "TOXIC"]', found(Category.TOXIC, Category.VIOLENCE, routed=True), True),
        ('any_of = ["SPAM", "TOXIC"]', found(Category.VIOLENCE, routed=True), False),
        ('any_of = ["SPAM"]', found(), False),
        ('none_of = ["HATE_SPEECH"]', found(Category.TOXIC, routed=True), True),
        ('none_of = ["HATE_SPEECH"]', found(Category.HATE_SPEECH, Category.TOXIC), False),
        ("quiet = true", found(), True),
        ("quiet = true", found(routed=True), False),
        ("quiet = true", found(Category.TOXIC), False),
        ('quiet = true\ntolerate = ["TOXIC"]', found(Category.TOXIC), True),
        ('quiet = true\ntolerate = ["TOXIC"]', found(Category.TOXIC, routed=True), False),
        ('quiet = true\ntolerate = ["TOXIC"]', found(Category.SEXUAL), False),
    ],
)
def test_an_expectation_holds(in_folder: Path, expected: str, outcome: Scored, holds: bool) -> None:
    assert read_expectation(in_folder, expected).holds(outcome) is holds


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("", "one of any_of"),
        ('quiet = true\nany_of = ["SPAM"]', "one of any_of"),
        ('any_of = ["SPAM"]\ntolerate = ["TOXIC"]', "tolerate goes with quiet"),
        ('any_of = ["RUDE"]', "no labels"),
        ("quiet = true\nfloor = 0.5", "unknown keys"),
        ('quiet = true\ntemplates = ["hello {people}"]', "go together"),
        ('quiet = true\neach = 1\ntemplates = ["hello {nobody}"]', "needs one slot"),
        ('quiet = true\neach = 1\ntemplates = ["hello"]', "needs one slot"),
    ],
)
def test_what_says_nothing_clear_is_refused(in_folder: Path, lines: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        read_expectation(in_folder, lines)


def test_templates_take_the_words_in_turn(in_folder: Path) -> None:
    lines = 'quiet = true\neach = 2\ntemplates = ["{people} sing", "{people} dance"]'
    write(in_folder, lines)
    [functionality] = read_functionalities()
    assert functionality.texts == ("Danes sing", "Finns sing", "Swedes dance", "Danes dance", "one more")


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "slots.toml").write_text('people = ["Danes", "Finns", "Swedes"]')
    monkeypatch.setattr(cases, "FOLDER", tmp_path)
    return tmp_path


def write(folder: Path, lines: str) -> None:
    (folder / "one.toml").write_text(f'[one]\nshows = "one"\nby_hand = ["one more"]\n{lines}\n')


def read_expectation(folder: Path, lines: str) -> Expectation:
    write(folder, lines)
    [functionality] = read_functionalities()
    return functionality.expected
