"""A rules file, read and checked: every fault is one `StartupFailed` that says where it is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from pipeline.errors import StartupFailed
from pipeline.verdict import HARMFUL, Category
from screener.heuristics.context import CONTEXT_RULES
from screener.heuristics.result import NO_EVIDENCE
from screener.heuristics.shapes import SHAPES

DISGUISED = "disguised_word"
"""The rule that fires where a harmful match was written in disguise."""

_LIMITS: Mapping[str, frozenset[str]] = {
    **{name: limits for name, (_, limits) in SHAPES.items()},
    **{name: limits for name, (_, limits) in CONTEXT_RULES.items()},
    DISGUISED: frozenset(),
}
_RULE_KEYS = frozenset(
    {
        "weight",
        "category",
        "evidence",
        "solicits",
        "phrases",
        "lexicon",
        "without",
        "limits",
        "words",
        "together",
        "unless",
    }
)
_TOP_KEYS = frozenset({"groups", "allow", "normalisation", "rules"})
_LEXICONS = ("surge", "ldnoobw")
_CATEGORIES = tuple(category.name for category in HARMFUL)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entries of a lexicon a rule takes."""

    name: str
    categories: frozenset[str]
    severity: tuple[float, float]

    def takes(self, category: str, severity: float) -> bool:
        """Whether an entry of this category and severity is taken; both ends of the range count."""
        low, high = self.severity
        return (not self.categories or category in self.categories) and low <= severity <= high


@dataclass(frozen=True, slots=True)
class RuleTable:
    """One `[rules.<name>]` table; None where it says nothing."""

    weight: float | None
    category: Category
    evidence: tuple[float, ...] | None
    solicits: bool
    phrases: tuple[str, ...]
    lexicon: tuple[Choice, ...]
    without: frozenset[str]
    limits: Mapping[str, float]
    words: tuple[str, ...]
    together: tuple[tuple[str, ...], ...]
    unless: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RulesFile:
    """A file's content, checked by itself; phrases are checked when they are filed."""

    path: Path
    groups: Mapping[str, tuple[str, ...]]
    allow: tuple[str, ...]
    fillers: tuple[str, ...]
    plain: tuple[str, ...]
    recognise: tuple[str, ...]
    rules: Mapping[str, RuleTable] = field(default_factory=dict)


def read_rules_file(path: Path, base: RulesFile | None = None) -> RulesFile:
    """Read a file; with `base`, as additions to that one. Raises StartupFailed."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StartupFailed(f"{path}: cannot be read as TOML: {error}") from error
    reader = _Reader(path)
    reader.keys("file", document, _TOP_KEYS)
    groups = reader.table("groups", document.get("groups", {}))
    allow = reader.table("allow", document.get("allow", {}))
    reader.keys("allow", allow, frozenset({"phrases"}))
    normalisation = reader.table("normalisation", document.get("normalisation", {}))
    reader.keys("normalisation", normalisation, frozenset({"fillers", "plain", "recognise"}))
    rules = reader.table("rules", document.get("rules", {}))
    missing = sorted(_LIMITS.keys() - rules.keys())
    if base is None and missing:
        reader.fail("rules", missing[0], "missing", "every rule has a table; weight = 0 switches it off")
    return RulesFile(
        path=path,
        groups={name: reader.strings("groups", name, entries) for name, entries in groups.items()},
        allow=reader.strings("allow", "phrases", allow.get("phrases", [])),
        fillers=reader.strings("normalisation", "fillers", normalisation.get("fillers", [])),
        plain=reader.strings("normalisation", "plain", normalisation.get("plain", [])),
        recognise=reader.strings("normalisation", "recognise", normalisation.get("recognise", [])),
        rules={
            name: reader.rule(name, table, known=base is not None and name in base.rules)
            for name, table in rules.items()
        },
    )


class _Reader:
    """Checks the values of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fail(self, where: str, key: str, value: object, allowed: str) -> NoReturn:
        raise StartupFailed(f"{self._path}: {where}: {key} = {value!r} (allowed: {allowed})")

    def keys(self, where: str, table: Mapping[str, Any], allowed: frozenset[str]) -> None:
        for key in table.keys() - allowed:
            self.fail(where, key, table[key], "keys " + ", ".join(sorted(allowed)))

    def table(self, where: str, value: object) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self.fail(where, where, value, "a table")
        return value

    def strings(self, where: str, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
            self.fail(where, key, value, "a list of texts")
        return tuple(value)

    def number(self, where: str, key: str, value: object, *, most: float = 1.0) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= most:
            self.fail(where, key, value, f"a number from 0 to {most:g}")
        return float(value)

    def category(self, where: str, key: str, value: str) -> Category:
        if value not in _CATEGORIES:
            self.fail(where, key, value, "one of " + ", ".join(_CATEGORIES))
        return Category[value]

    def rule(self, name: str, value: object, *, known: bool) -> RuleTable:
        where = f"rule {name}"
        table = self.table(where, value)
        self.keys(where, table, _RULE_KEYS)
        if not known:
            self._check_new(name, where, table)
        limits = self.table(where, table.get("limits", {}))
        self.keys(f"{where}: limits", limits, _LIMITS.get(name, frozenset()))
        return RuleTable(
            weight=self.number(where, "weight", table["weight"]) if "weight" in table else None,
            category=(
                self.category(where, "category", table["category"])
                if "category" in table
                else Category.UNSPECIFIED
            ),
            evidence=self._evidence(where, table["evidence"]) if "evidence" in table else None,
            solicits=self._flag(where, "solicits", table.get("solicits", False)),
            phrases=self.strings(where, "phrases", table.get("phrases", [])),
            lexicon=tuple(self._choice(where, choice) for choice in table.get("lexicon", [])),
            without=frozenset(self.strings(where, "without", table.get("without", []))),
            limits={key: self.number(where, key, limit, most=10_000) for key, limit in limits.items()},
            words=self.strings(where, "words", table.get("words", [])),
            together=self._together(where, table.get("together", [])),
            unless=self.strings(where, "unless", table.get("unless", [])),
        )

    def _check_new(self, name: str, where: str, table: Mapping[str, Any]) -> None:
        if "weight" not in table:
            self.fail(where, "weight", None, "a number from 0 to 1")
        if name not in _LIMITS and not any(table.get(key) for key in ("phrases", "lexicon", "together")):
            self.fail(where, "phrases", table.get("phrases"), "at least one phrase")
        missing = sorted(_LIMITS.get(name, frozenset()) - table.get("limits", {}).keys())
        if missing:
            self.fail(where, f"limits.{missing[0]}", None, "a number from 0 to 10000")

    def _evidence(self, where: str, value: object) -> tuple[float, ...]:
        table = self.table(where, value)
        evidence = list(NO_EVIDENCE)
        for key, number in table.items():
            category = self.category(where, "evidence", key)
            evidence[HARMFUL.index(category)] = self.number(where, f"evidence.{key}", number)
        return tuple(evidence)

    def _together(self, where: str, value: object) -> tuple[tuple[str, ...], ...]:
        if not isinstance(value, list) or len(value) == 1:
            self.fail(where, "together", value, "two lists of rules or more")
        return tuple(self.strings(where, "together", names) for names in value)

    def _flag(self, where: str, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            self.fail(where, key, value, "true or false")
        return value

    def _choice(self, where: str, value: object) -> Choice:
        table = self.table(f"{where}: lexicon", value)
        self.keys(f"{where}: lexicon", table, frozenset({"list", "categories", "severity"}))
        if table.get("list") not in _LEXICONS:
            self.fail(where, "lexicon.list", table.get("list"), " or ".join(_LEXICONS))
        severity: Sequence[object] = table.get("severity", [0, 3])
        if not isinstance(severity, list) or len(severity) != 2:
            self.fail(where, "lexicon.severity", severity, "two numbers from 0 to 3")
        low, high = (self.number(where, "lexicon.severity", end, most=3) for end in severity)
        return Choice(
            name=table["list"],
            categories=frozenset(self.strings(where, "lexicon.categories", table.get("categories", []))),
            severity=(low, high),
        )
