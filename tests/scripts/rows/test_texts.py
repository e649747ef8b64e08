from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from scripts.errors import FileUnreadable
from scripts.rows.texts import Layout, TextRow, read_texts


def test_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl.gz"
    file.write_bytes(
        gzip.compress(b'{"id":"a","text":"one"}\n{"content":"two"}\n{"id":3}\n\nx\n{"text":" "}\n')
    )
    rows = list(read_texts(str(file), Layout()))
    assert rows[:3] == [
        TextRow("a", "one"),
        TextRow(2, "two"),
        TextRow(3, "", "no text or content"),
    ]
    assert rows[3].row_id == 5
    assert "not valid JSON" in rows[3].problem
    assert "white space alone" in rows[4].problem


def test_other_names(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"key":7,"text":"no","body":"yes"}\n')
    assert list(read_texts(str(file), Layout("body", "key"))) == [TextRow(7, "yes")]


@pytest.mark.parametrize(("name", "mark"), [("rows.csv", ","), ("rows.tsv", "\t")])
def test_csv(name: str, mark: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(f'id{mark}body\n1{mark}"two\nlines"\n{mark}last\n')
    assert list(read_texts(str(file), Layout("body"))) == [TextRow("1", "two\nlines"), TextRow(4, "last")]
    assert len(list(read_texts(str(file), Layout("body"), limit=1))) == 1


def test_csv_without_the_column(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("id,body\n1,hello\n")
    with pytest.raises(FileUnreadable, match="no column text or content: name one of id, body with --column"):
        list(read_texts(str(file), Layout()))


def test_csv_in_another_encoding(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes("text\nfür\n".encode("latin-1"))
    with pytest.raises(FileUnreadable, match="not UTF-8"):
        list(read_texts(str(file), Layout()))
