"""Labelled texts from JSON Lines: `id`, `source`, `text` and `labels`, in which what is absent is unknown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.validation import content_violation
from screener.model import CATEGORIES
from scripts.errors import BadRow, FileUnreadable
from scripts.rows.json_object import decode_object, kind_of
from scripts.rows.source import STDIN, numbered_lines, open_source

_ALLOWED_LABELS = f"allowed: {', '.join(CATEGORIES)}"


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """A text and what is known of it; `part` is the file that it came from, without folder and endings."""

    row_id: str
    part: str
    source: str
    text: str
    labels: Mapping[str, int]


def read_labelled(names: Sequence[str], *, limit: int | None = None) -> list[LabelledRow]:
    """The rows of the files in order, at most `limit` of each.

    Raises:
        FileUnreadable: a file cannot be read or holds no row, or a row is wrong: the message has the file,
            the line and the field.
    """
    rows: list[LabelledRow] = []
    first_seen: dict[str, str] = {}
    for name in names:
        before = len(rows)
        for line, row in _rows(name, limit):
            place = f"{_shown(name)}, line {line}"
            if row.row_id in first_seen:
                raise FileUnreadable(f"{place}, id: {row.row_id} stands in {first_seen[row.row_id]} already")
            first_seen[row.row_id] = place
            rows.append(row)
        if len(rows) == before:
            raise FileUnreadable(f"{_shown(name)} holds no row")
    return rows


def digest(rows: Sequence[LabelledRow]) -> str:
    """SHA-256, in hexadecimal, of the ids and texts: rows of one digest are scored alike."""
    told = hashlib.sha256()
    for row in rows:
        for value in (row.row_id, row.text):
            told.update(len(value).to_bytes(8, "big") + value.encode())
    return told.hexdigest()


def _rows(name: str, limit: int | None) -> Iterator[tuple[int, LabelledRow]]:
    part = "standard input" if name == STDIN else Path(name).name.removesuffix(".gz").removesuffix(".jsonl")
    with open_source(name) as source:
        for line, data in islice(numbered_lines(source), limit):
            try:
                yield line, _row(part, line, decode_object(line, data))
            except BadRow as bad:
                raise FileUnreadable(f"{_shown(name)}, line {line}, {bad.problem}") from bad


def _row(part: str, line: int, values: Mapping[str, Any]) -> LabelledRow:
    text = _text(line, values, "text")
    violation = content_violation(text)
    if violation:
        raise BadRow(line, f"text: {violation.problem}; allowed: {violation.allowed}")
    return LabelledRow(
        row_id=_text(line, values, "id"),
        part=part,
        source=_text(line, values, "source"),
        text=text,
        labels=_labels(line, values.get("labels")),
    )


def _text(line: int, values: Mapping[str, Any], field: str) -> str:
    value = values.get(field)
    if not isinstance(value, str) or not value:
        found = "an empty text" if value == "" else kind_of(value) if field in values else "not there"
        raise BadRow(line, f"{field}: is {found}; allowed: a text")
    return value


def _labels(line: int, labels: object) -> Mapping[str, int]:
    if not isinstance(labels, dict):
        raise BadRow(line, f"labels: is {kind_of(labels)}; allowed: an object of labels, each 0 or 1")
    for label, value in labels.items():
        if label not in CATEGORIES:
            raise BadRow(line, f"labels.{label}: is no label; {_ALLOWED_LABELS}")
        if isinstance(value, bool) or value not in (0, 1):
            raise BadRow(line, f"labels.{label}: is {value!r}; allowed: 0 or 1, or no such label if unknown")
    return labels


def _shown(name: str) -> str:
    return "standard input" if name == STDIN else name
