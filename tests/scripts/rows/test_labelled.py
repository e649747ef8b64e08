"""Labelled rows: what is wrong with one is told with its file, line and field."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from scripts.errors import FileUnreadable
from scripts.rows.labelled import digest, read_labelled

GOOD: dict[str, Any] = {"id": "a-1", "source": "a", "text": "good morning", "labels": {"TOXIC": 0, "SPAM": 1}}


def written(path: Path, *rows: object) -> str:
    data = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


def test_rows_of_several_files_in_order(tmp_path: Path) -> None:
    one = written(tmp_path / "one.jsonl.gz", GOOD, {**GOOD, "id": "a-2", "labels": {}})
    two = written(tmp_path / "two.jsonl", {**GOOD, "id": "a-3"}, {**GOOD, "id": "a-4"})
    rows = read_labelled([one, two])
    assert [(row.row_id, row.part) for row in rows] == [
        ("a-1", "one"),
        ("a-2", "one"),
        ("a-3", "two"),
        ("a-4", "two"),
    ]
    assert (rows[0].source, rows[0].text, rows[0].labels) == ("a", "good morning", {"TOXIC": 0, "SPAM": 1})
    assert [row.row_id for row in read_labelled([one, two], limit=1)] == ["a-1", "a-3"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({**GOOD, "id": 7}, "id: is a number; allowed: a text"),
        ({**GOOD, "source": ""}, "source: is an empty text; allowed: a text"),
        ({key: GOOD[key] for key in ("id", "source", "labels")}, "text: is not there; allowed: a text"),
        ({**GOOD, "text": "  "}, "text: is white space alone"),
        ({**GOOD, "text": "x" * 10_001}, "text: has 10001 characters"),
        ({**GOOD, "labels": None}, "labels: is null; allowed: an object"),
        ({**GOOD, "labels": {"RUDE": 1}}, "labels.RUDE: is no label; allowed: SPAM, TOXIC"),
        ({**GOOD, "labels": {"SPAM": 2}}, "labels.SPAM: is 2; allowed: 0 or 1"),
        ({**GOOD, "labels": {"SPAM": True}}, "labels.SPAM: is True; allowed: 0 or 1"),
        ({**GOOD, "labels": {"SPAM": None}}, "labels.SPAM: is None; allowed: 0 or 1, or no such label"),
        ([GOOD], "is a list; allowed: a JSON object"),
    ],
)
def test_a_bad_row_is_told_with_file_line_and_field(row: object, problem: str, tmp_path: Path) -> None:
    name = written(tmp_path / "rows.jsonl", {**GOOD, "id": "first"}, row)
    with pytest.raises(FileUnreadable) as told:
        read_labelled([name])
    assert str(told.value).startswith(f"{name}, line 2, {problem}")


def test_what_is_no_json_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(orjson.dumps(GOOD).decode() + "\n{oops\n")
    with pytest.raises(FileUnreadable, match=r"rows\.jsonl, line 2, not valid JSON"):
        read_labelled([str(file)])


def test_an_id_stands_once(tmp_path: Path) -> None:
    one = written(tmp_path / "one.jsonl", GOOD)
    two = written(tmp_path / "two.jsonl", {**GOOD, "id": "b"}, GOOD)
    with pytest.raises(FileUnreadable, match=r"two\.jsonl, line 2, id: a-1 stands in .*one\.jsonl, line 1"):
        read_labelled([one, two])


def test_an_empty_file_holds_no_row(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="holds no row"):
        read_labelled([written(tmp_path / "rows.jsonl")])


def test_the_digest_is_of_ids_and_texts_alone(tmp_path: Path) -> None:
    rows = read_labelled([written(tmp_path / "a.jsonl", GOOD)])
    relabelled = read_labelled([written(tmp_path / "b.jsonl", {**GOOD, "labels": {}, "source": "b"})])
    moved = read_labelled([written(tmp_path / "c.jsonl", {**GOOD, "id": "a-1g", "text": "ood morning"})])
    assert digest(rows) == digest(relabelled)
    assert digest(rows) != digest(moved)
