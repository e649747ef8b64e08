"""Texts to score, from JSON Lines or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.validation import MAX_CONTENT_CHARS, content_violation
from scripts.errors import BadRow, FileUnreadable
from scripts.rows.json_object import decode_object, kind_of
from scripts.rows.source import numbered_lines, open_source

COLUMNS = ("text", "content")
"""Where a row's text is looked for when nobody says."""

_CSV_DELIMITERS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row's id, else its line number; and its text, or where it has no usable one the problem."""

    row_id: str | int
    text: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns hold text and id; `column` None looks for `text`, then `content`."""

    column: str | None = None
    id_field: str = "id"


def read_texts(name: str, layout: Layout, *, limit: int | None = None) -> Iterator[TextRow]:
    """The rows of the file called `name` in order: CSV where its name ends in .csv or .tsv, else JSON Lines.

    Raises:
        FileUnreadable: the file cannot be read, or has no such column.
    """
    delimiter = _CSV_DELIMITERS.get(Path(name.removesuffix(".gz")).suffix)
    with open_source(name) as source:
        rows = _csv_rows(source, layout, delimiter) if delimiter else _json_rows(source, layout)
        with closing(rows):
            yield from islice(rows, limit)


def _json_rows(source: BinaryIO, layout: Layout) -> Generator[TextRow]:
    for line, data in numbered_lines(source):
        try:
            values = decode_object(line, data)
        except BadRow as bad:
            yield TextRow(line, "", bad.problem)
            continue
        row_id = values.get(layout.id_field)
        columns = (layout.column,) if layout.column else COLUMNS
        text = next((values[column] for column in columns if column in values), None)
        yield _row(row_id if isinstance(row_id, str | int) else line, text, columns)


def _csv_rows(source: BinaryIO, layout: Layout, delimiter: str) -> Generator[TextRow]:
    csv.field_size_limit(64 * 1024 * 1024)
    decoded = io.TextIOWrapper(source, "utf-8-sig", newline="")
    reader = csv.DictReader(decoded, delimiter=delimiter)
    try:
        header = reader.fieldnames or ()
        columns = (layout.column,) if layout.column else COLUMNS
        column = next((c for c in columns if c in header), None)
        if column is None:
            raise FileUnreadable(
                f"no column {' or '.join(columns)}: name one of {', '.join(header)} with --column"
            )
        for values in reader:
            yield _row(values.get(layout.id_field) or reader.line_num, values[column], columns)
    except csv.Error as error:
        raise FileUnreadable(f"CSV is broken at line {reader.line_num}: {error}") from error
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"CSV is not UTF-8 after line {reader.line_num}: convert it first") from error
    finally:
        decoded.detach()  # the source is its opener's to close


def _row(row_id: str | int, text: Any, columns: tuple[str, ...]) -> TextRow:
    if text is None:
        return TextRow(row_id, "", f"no {' or '.join(columns)}")
    if not isinstance(text, str):
        return TextRow(
            row_id, "", f"the text is {kind_of(text)}; allowed: 1 to {MAX_CONTENT_CHARS} characters"
        )
    violation = content_violation(text)
    return TextRow(
        row_id, text, f"the text {violation.problem}; allowed: {violation.allowed}" if violation else ""
    )
