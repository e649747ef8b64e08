"""The rules as one value: the reviewed file `rules.toml` and, if given, a deployment's own file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StartupFailed
from pipeline.verdict import Category
from screener.heuristics.lexicon import Entry, read_lexicons
from screener.heuristics.phrases import PhraseIndex
from screener.heuristics.result import NO_EVIDENCE
from screener.heuristics.rules_file import RulesFile, RuleTable, read_rules_file
from screener.heuristics.shape import Shape
from screener.text import MENTION, Vocabulary, normalise, read_english
from screener.text.fold import fold, fold_letters

RULES_PATH = Path(__file__).with_name("rules.toml")
ALLOW = "allow"
"""The name under which harmless phrases are filed."""

_SHORTEST_DISGUISED = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as it counts.

    Attributes:
        name: its name.
        weight: 0..1; at 0 it is told nowhere, and other rules may still rest on it.
        category: what it speaks for, or UNSPECIFIED.
        evidence: one value in 0..1 for each of `HARMFUL`.
        solicits: whether it draws its readers somewhere else.
        shape: numbers and words, where it looks at a text's shape or at the context.
        together: it fires where of each group of rules one does; empty for a rule that looks for itself.
        unless: rules whose match takes its evidence away, and half of its weight.
    """

    name: str
    weight: float
    category: Category
    evidence: tuple[float, ...]
    solicits: bool
    shape: Shape
    together: tuple[tuple[str, ...], ...]
    unless: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules, ready to be asked. Immutable: a changed file makes a new one."""

    rules: Mapping[str, Rule]
    phrases: PhraseIndex
    vocabulary: Vocabulary

    @classmethod
    def load(cls, path: Path = RULES_PATH, custom: Path | None = None) -> Rules:
        """Read the rules file and a deployment's additions.

        `custom` has the same form. Its rules replace weight, evidence and limits where given, add their
        phrases to rules of the same name, or are new; its groups and allowed phrases are added.

        Raises:
            StartupFailed: a file is missing or wrong; names file, rule, value and what is allowed.
        """
        files = [read_rules_file(path)]
        if custom is not None:
            files.append(read_rules_file(custom, base=files[0]))
        return _build(files, read_lexicons())


def _build(files: Sequence[RulesFile], lexicons: Mapping[str, tuple[Entry, ...]]) -> Rules:
    groups: dict[str, list[str]] = {}
    for file in files:
        for name, entries in file.groups.items():
            groups.setdefault(name, []).extend(form for entry in entries for form in _forms(entry))
    index = PhraseIndex(groups)
    rules: dict[str, Rule] = {}
    spoken = {word for entries in groups.values() for entry in entries for word in entry.split()}
    harmful: dict[str, None] = {}  # in order: the first of two words has their common disguise
    for file in files:
        for phrase in file.allow:
            _add(index, phrase, ALLOW, file)
            spoken.update(phrase.split())
        for name, table in file.rules.items():
            rules[name] = _rule(name, table, rules.get(name))
            for phrase in [*table.phrases, *_chosen(table, lexicons)]:
                _add(index, phrase, name, file)
                spoken.update(phrase.split())
                if table.category is not Category.UNSPECIFIED:
                    harmful.update(dict.fromkeys(_single_words(phrase, groups)))
    for rule in rules.values():
        _check_names(rule, rules, files[-1].path)
    harmful.update(dict.fromkeys(word for file in files for word in file.recognise))
    vocabulary = Vocabulary(
        [word for word in harmful if len(word) >= _SHORTEST_DISGUISED and word.isalpha()],
        fillers=[word for file in files for word in file.fillers],
        plain=[word for file in files for word in file.plain],
        english=read_english(),
        spoken=[word for word in spoken if word.isalpha()],
    )
    return Rules(rules, index, vocabulary)


def _rule(name: str, table: RuleTable, before: Rule | None) -> Rule:
    """The rule of a table; what a deployment's table leaves out stays as it was."""
    old = before or Rule(
        name=name,
        weight=0.0,
        category=Category.UNSPECIFIED,
        evidence=NO_EVIDENCE,
        solicits=False,
        shape=Shape(),
        together=(),
        unless=(),
    )
    return Rule(
        name=name,
        weight=old.weight if table.weight is None else table.weight,
        category=table.category if before is None else before.category,
        evidence=old.evidence if table.evidence is None else table.evidence,
        solicits=old.solicits or table.solicits,
        shape=Shape(
            limits={**old.shape.limits, **table.limits},
            words=old.shape.words | {fold(word).text for word in table.words},
        ),
        together=old.together + table.together,
        unless=old.unless + table.unless,
    )


def _check_names(rule: Rule, rules: Mapping[str, Rule], path: Path) -> None:
    for name in (*rule.unless, *(name for group in rule.together for name in group)):
        if name not in rules or rules[name].together:
            raise StartupFailed(
                f"{path}: rule {rule.name}: {name!r} (allowed: rules of the file that need no others)"
            )


def _add(index: PhraseIndex, phrase: str, name: str, file: RulesFile) -> None:
    for form in _forms(phrase):
        try:
            index.add(form, name)
        except KeyError as error:
            raise StartupFailed(
                f"{file.path}: rule {name}: phrase {phrase!r}: there is no group {error}"
            ) from error
        except ValueError as error:
            raise StartupFailed(f"{file.path}: rule {name}: phrase {phrase!r}: {error}") from error


def _forms(phrase: str) -> Iterable[str]:
    """The phrase as it is found in a text of look-alikes, and in a text of its own script."""
    return dict.fromkeys([fold(phrase).text, fold_letters(phrase)])


def _chosen(table: RuleTable, lexicons: Mapping[str, tuple[Entry, ...]]) -> Iterable[str]:
    """The lexicon entries that a rule takes, as phrases."""
    for choice in table.lexicon:
        for entry in lexicons[choice.name]:
            if not choice.takes(entry.category, entry.severity):
                continue
            words = normalise(entry.text).words
            phrase = " ".join(words)
            if words and MENTION not in words and phrase not in table.without and "*" not in phrase:
                yield phrase


def _single_words(phrase: str, groups: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """The words that say by themselves what the phrase says: one word, or the members of its group."""
    if " " in phrase:
        return ()
    if phrase.startswith("<"):
        return [entry for entry in groups[phrase[1:-1]] if " " not in entry]
    return [phrase]
