"""The hand-made corpus: templates with known labels, expanded.

Public corpora have poor negatives, so that models trained on them flag whatever names a group or an alarming
thing. Each file in this folder sets hard cases of one kind against their look-alikes, in this format:

    variation = 0.5                     # share of rows whose surface is varied; default 0

    [pools]                             # values for slots, found before those of pools.toml
    dish = ["soup", "stew"]
    slur = { categories = ["racial / ethnic slurs"], severity = [2.6, 3.0], number = "singular" }

    [[group]]
    name = "praise of food"
    labels = { TOXIC = 0, VIOLENCE = 0 }  # of the six categories; absent = unknown
    any = 0                             # harmful at all; default 1 if a label is 1, else 0
    repeat = 6                          # expansions of each template that has slots; default 4
    variation = 0.2                     # instead of the file's
    templates = ["This {dish} is to die for.", "{dish} or {dish2}?"]

Slots are described at `training.synthetic.filling.fill`. A pool written as a table takes the one-word entries
of the Surge list with that category and severity: words nobody should have to type. `number` is "singular" or
"plural"; `without` lists entries to leave out. Let `variation` be the same for the harmful and the harmless
groups of a file, else the look tells the label.

pools.toml has `[pools]` only; its `openers` and `closers` serve the variation. Texts equal but for case,
punctuation and spaces become one row; if two contradict each other in a label, the corpus is invalid.
"""

from __future__ import annotations

import hashlib
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from screener.heuristics.lexicon import read_lexicons
from screener.model import CATEGORIES
from training.corpus import Corpus
from training.errors import CorpusInvalid
from training.synthetic.filling import SLOT, Pools, fill
from training.synthetic.surface import Surface

FOLDER = Path(__file__).parent
SHARED_POOLS = "pools.toml"

_DEFAULT_REPEAT = 4
_DRAWS_PER_ROW = 6
"""How often a template is filled before fewer distinct expansions than asked for are taken as all it has."""
_FILE_KEYS = frozenset({"variation", "pools", "group"})
_GROUP_KEYS = frozenset({"name", "labels", "any", "repeat", "variation", "templates"})
_LEXICON_KEYS = frozenset({"categories", "severity", "number", "without"})


@dataclass(frozen=True, slots=True)
class Synthetic:
    """The hand-made rows."""

    corpus: Corpus
    """Sources are `synthetic-<file stem>`."""
    any_harm: NDArray[np.float32]
    """[rows]: 1 where the text is harmful at all, else 0; never unknown."""
    written_out: NDArray[np.bool_]
    """[rows]: the text stands in its file as it is; the others are templates with their slots filled."""


@dataclass(frozen=True, slots=True)
class Group:
    """One `[[group]]`, checked."""

    name: str
    labels: tuple[float, ...]
    """[6]: 0, 1 or NaN."""
    any_harm: float
    repeat: int
    variation: float
    templates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    text: str
    source: str
    group: Group
    written_out: bool


def read_synthetic(*, seed: int = 1, folder: Path = FOLDER) -> Synthetic:
    """Expand every file of the folder; equal seeds give equal rows, and a template's rows depend on no other.

    Raises CorpusInvalid naming file and group.
    """
    shared = _pools(folder / SHARED_POOLS, _document(folder / SHARED_POOLS))
    surface = Surface(*(_needed(folder / SHARED_POOLS, shared, name) for name in ("openers", "closers")))
    rows: dict[str, _Row] = {}
    for path in sorted(folder.glob("*.toml")):
        if path.name == SHARED_POOLS:
            continue
        document = _document(path)
        pools = {**shared, **_pools(path, document)}
        for group in _groups(path, document):
            for row in _expand(path, group, pools, surface, seed):
                _agree(path, row, rows.setdefault(_letters(row.text), row))
    if not rows:
        raise CorpusInvalid(f"{folder} holds no groups")
    kept = tuple(rows.values())
    return Synthetic(
        Corpus(
            tuple(row.text for row in kept),
            np.array([row.source for row in kept]),
            np.array([row.group.labels for row in kept], dtype=np.float32),
        ),
        np.array([row.group.any_harm for row in kept], dtype=np.float32),
        np.array([row.written_out for row in kept]),
    )


def _expand(path: Path, group: Group, pools: Pools, surface: Surface, seed: int) -> Iterator[_Row]:
    for template in group.templates:
        generator = _generator(seed, path.stem, group.name, template)
        written_out = SLOT.search(template) is None
        wanted = 1 if written_out else group.repeat
        texts: dict[str, None] = {}
        try:
            for _ in range(wanted * _DRAWS_PER_ROW):
                texts[fill(template, pools, generator)] = None
                if len(texts) == wanted:
                    break
        except CorpusInvalid as error:
            raise CorpusInvalid(f"{path.name}, group {group.name!r}: {error}") from error
        for text in texts:
            varied = generator.random() < group.variation
            shown = surface.vary(text, generator) if varied else text
            yield _Row(shown, f"synthetic-{path.stem}", group, written_out)


def _generator(seed: int, *names: str) -> np.random.Generator:
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, dtype=np.uint32).tolist()])


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if unicodedata.category(letter)[0] not in "PZ") or text


def _agree(path: Path, row: _Row, first: _Row) -> None:
    known = [
        pair for pair in zip(row.group.labels, first.group.labels, strict=True) if not np.isnan(pair).any()
    ]
    if any(a != b for a, b in known) or row.group.any_harm != first.group.any_harm:
        raise CorpusInvalid(
            f"{path.name}, group {row.group.name!r}: {row.text!r} has other labels in"
            f" {first.source}, group {first.group.name!r}"
        )


def _document(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CorpusInvalid(f"{path.name} cannot be read as TOML: {error}") from error
    _known_keys(path.name, document, _FILE_KEYS)
    return document


def _pools(path: Path, document: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    pools = document.get("pools", {})
    for name in pools:
        if not SLOT.fullmatch(f"{{{name}}}") or name[-1].isdigit():
            raise CorpusInvalid(f"{path.name}: pool {name!r} needs a name of small letters and underscores")
    return {
        name: _from_lexicon(f"{path.name}, pool {name}", value)
        if isinstance(value, dict)
        else _strings(f"{path.name}, pool {name}", value)
        for name, value in pools.items()
    }


def _from_lexicon(where: str, choice: Mapping[str, Any]) -> tuple[str, ...]:
    _known_keys(where, choice, _LEXICON_KEYS)
    categories = _strings(where, choice.get("categories"))
    low, high = choice.get("severity", (0.0, 3.0))
    if choice.get("number") not in {"singular", "plural"}:
        raise CorpusInvalid(f"{where}: number = {choice.get('number')!r} (allowed: singular, plural)")
    words = {
        entry.text
        for entry in read_lexicons()["surge"]
        if entry.category in categories and low <= entry.severity <= high and entry.text.isalpha()
    }
    plural = {word for word in words if word[-1] in "sz"}
    numbered = plural if choice["number"] == "plural" else words - plural
    return _strings(where, sorted(numbered - set(choice.get("without", ()))))


def _groups(path: Path, document: Mapping[str, Any]) -> Iterator[Group]:
    for number, table in enumerate(document.get("group", []), start=1):
        where = f"{path.name}, group {table.get('name', number)!r}"
        _known_keys(where, table, _GROUP_KEYS)
        labels = _labels(where, table.get("labels", {}))
        harmful = 1.0 in labels
        any_harm = table.get("any", int(harmful))
        if any_harm not in {0, 1} or (harmful and any_harm == 0):
            raise CorpusInvalid(f"{where}: any = {any_harm!r} (allowed: 0 or 1, and 1 where a label is 1)")
        variation = table.get("variation", document.get("variation", 0.0))
        if not 0 <= variation <= 1:
            raise CorpusInvalid(f"{where}: variation = {variation!r} (allowed: 0 to 1)")
        repeat = table.get("repeat", _DEFAULT_REPEAT)
        if not isinstance(repeat, int) or repeat < 1:
            raise CorpusInvalid(f"{where}: repeat = {repeat!r} (allowed: whole numbers from 1)")
        yield Group(
            name=str(table.get("name", number)),
            labels=labels,
            any_harm=float(any_harm),
            repeat=repeat,
            variation=float(variation),
            templates=_strings(f"{where}, templates", table.get("templates")),
        )


def _labels(where: str, table: Mapping[str, Any]) -> tuple[float, ...]:
    _known_keys(where, table, frozenset(CATEGORIES))
    for name, value in table.items():
        if value not in {0, 1}:
            raise CorpusInvalid(f"{where}: label {name} = {value!r} (allowed: 0 or 1)")
    return tuple(float(table.get(category, np.nan)) for category in CATEGORIES)


def _strings(where: str, value: object) -> tuple[str, ...]:
    if (
        not isinstance(value, Sequence)
        or isinstance(value, str)
        or not value
        or not all(isinstance(text, str) and text.strip() for text in value)
    ):
        raise CorpusInvalid(f"{where}: expected a list of texts, none of them empty")
    return tuple(value)


def _needed(path: Path, pools: Pools, name: str) -> Sequence[str]:
    if name not in pools:
        raise CorpusInvalid(f"{path.name} has no pool {name}")
    return pools[name]


def _known_keys(where: str, table: Mapping[str, Any], allowed: frozenset[str]) -> None:
    for key in table.keys() - allowed:
        raise CorpusInvalid(f"{where}: unknown key {key!r} (allowed: {', '.join(sorted(allowed))})")
