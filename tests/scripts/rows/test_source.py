from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path

import pytest

from scripts.errors import FileUnreadable
from scripts.rows.source import count_lines, numbered_lines, open_source


def lines(name: str) -> list[tuple[int, bytes]]:
    with open_source(name) as source:
        return list(numbered_lines(source))


def test_plain_with_a_byte_order_mark_and_empty_lines(tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_bytes(b"\xef\xbb\xbfone\r\n\n  \nfour")
    assert lines(str(file)) == [(1, b"one"), (4, b"four")]
    assert count_lines(str(file), None) == 4
    assert count_lines(str(file), 2) == 2


def test_gzip_is_told_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(gzip.compress(b"one\ntwo\n"))
    assert lines(str(file)) == [(1, b"one"), (2, b"two")]


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input(packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, gzip.compress(b"one\ntwo\n") if packed else b"one\ntwo\n")
    os.close(write_end)
    with open(read_end) as pipe:  # noqa: PTH123  # a descriptor
        monkeypatch.setattr(sys, "stdin", pipe)
        assert lines("-") == [(1, b"one"), (2, b"two")]


def test_a_missing_file() -> None:
    with pytest.raises(FileUnreadable, match=r"^cannot read nowhere\.jsonl: No such file or directory$"):
        lines("nowhere.jsonl")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="Is a directory"):
        lines(str(tmp_path))


def test_gzip_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "rows.gz"
    file.write_bytes(gzip.compress(os.urandom(10_000))[:5_000])
    with pytest.raises(FileUnreadable, match="broken gzip"):
        lines(str(file))
