"""The behaviour suite's functionalities and cases, from the files of `tests/suites/behaviour`.

How a file is written stands in docs/suites.md.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from pipeline.verdict import HARMFUL, Category
from tests.suites.running import Scored

FOLDER = Path(__file__).with_name("behaviour")
_SLOTS = "slots.toml"
_KEYS = frozenset({"shows", "any_of", "none_of", "quiet", "tolerate", "each", "templates", "by_hand"})


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is right of a text.

    Attributes:
        any_of: at least one of these labels; empty asks for none.
        none_of: no label of these.
        may_be_routed: whether review is no fault.
    """

    any_of: frozenset[Category]
    none_of: frozenset[Category]
    may_be_routed: bool

    @property
    def is_of_harm(self) -> bool:
        """Whether the texts are harmful ones."""
        return bool(self.any_of)

    def holds(self, found: Scored) -> bool:
        """Whether the system is right about a text."""
        return (
            not (self.any_of and self.any_of.isdisjoint(found.labels))
            and self.none_of.isdisjoint(found.labels)
            and (self.may_be_routed or not found.is_routed)
        )


@dataclass(frozen=True, slots=True)
class Functionality:
    """One thing that the system has to get right, and its cases.

    Attributes:
        name: unique over all files.
        shows: in words, for people.
        expected: of each of the texts.
        by_hand: texts written one by one.
        expanded: texts from templates.
    """

    name: str
    shows: str
    expected: Expectation
    by_hand: tuple[str, ...]
    expanded: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """All of its texts."""
        return self.expanded + self.by_hand


def read_slots() -> dict[str, list[str]]:
    """The words that templates take, by the slot's name."""
    return tomllib.loads((FOLDER / _SLOTS).read_text(encoding="utf-8"))


def read_functionalities() -> tuple[Functionality, ...]:
    """All functionalities, in the order of files and lines.

    Raises:
        ValueError: a key, a label or a slot that nobody knows, or an expectation that says two things.
    """
    files = [path for path in sorted(FOLDER.glob("*.toml")) if path.name != _SLOTS]
    return tuple(functionality for path in files for functionality in _read(path))


def _read(path: Path) -> Iterator[Functionality]:
    # Each file goes through the words from the start: a new template changes cases of its own file at most.
    turns = {slot: cycle(words) for slot, words in read_slots().items()}
    for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
        unknown = table.keys() - _KEYS
        if unknown:
            raise ValueError(f"{name}: unknown keys {sorted(unknown)}")
        yield Functionality(
            name=name,
            shows=table["shows"],
            expected=_expectation(name, table),
            by_hand=tuple(table["by_hand"]),
            expanded=_expanded(name, table.get("templates", ()), turns, each=table.get("each", 0)),
        )


def _expectation(name: str, table: Mapping[str, Any]) -> Expectation:
    kinds = [key for key in ("any_of", "none_of", "quiet") if table.get(key)]
    if len(kinds) != 1 or ("tolerate" in table and kinds != ["quiet"]):
        raise ValueError(f"{name}: one of any_of, none_of and quiet is to be said; tolerate goes with quiet")
    any_of = _labels(name, table.get("any_of", ()))
    if kinds == ["quiet"]:
        tolerated = _labels(name, table.get("tolerate", ()))
        return Expectation(any_of, frozenset(HARMFUL) - tolerated, may_be_routed=False)
    return Expectation(any_of, _labels(name, table.get("none_of", ())), may_be_routed=True)


def _labels(name: str, names: Sequence[str]) -> frozenset[Category]:
    known = {category.name: category for category in HARMFUL}
    unknown = set(names) - known.keys()
    if unknown:
        raise ValueError(f"{name}: no labels {sorted(unknown)}; there are {', '.join(known)}")
    return frozenset(known[label] for label in names)


def _expanded(
    name: str, templates: Sequence[str], turns: Mapping[str, Iterator[str]], *, each: int
) -> tuple[str, ...]:
    """Each template with the next `each` words of its slot."""
    if bool(templates) != bool(each):
        raise ValueError(f"{name}: templates and each go together")
    return tuple(
        template.format_map({slot: word})
        for template in templates
        for slot in (_slot(name, template, turns),)
        for word in islice(turns[slot], each)
    )


def _slot(name: str, template: str, turns: Mapping[str, Iterator[str]]) -> str:
    found = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
    if len(found) != 1 or not found <= turns.keys():
        raise ValueError(f"{name}: {template!r} needs one slot of {', '.join(turns)}")
    return found.pop()
