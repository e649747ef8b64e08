from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from scripts.rows.sink import open_sink


def test_plain_and_gzip_by_name(tmp_path: Path) -> None:
    for name in ("out.jsonl", "out.jsonl.gz"):
        with open_sink(str(tmp_path / name)) as sink:
            sink.write(b"row\n")
    assert (tmp_path / "out.jsonl").read_bytes() == b"row\n"
    assert gzip.decompress((tmp_path / "out.jsonl.gz").read_bytes()) == b"row\n"


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_bytes(b"old")
    with pytest.raises(TypeError), open_sink(str(file)) as sink:
        sink.write("no bytes")  # type: ignore[call-overload]
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with open_sink("-") as sink:
        sink.write(b"row\n")
    assert capfdbinary.readouterr().out == b"row\n"
