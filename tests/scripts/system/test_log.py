from __future__ import annotations

from pathlib import Path

import pytest

from scripts.system.log import last_words


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("", ""),
        ("started\nlistening\n\n", "listening"),
        ("Error: port in use\nbye\n", "Error: port in use"),
        ("Traceback (most recent call last):\n  File x\nValueError: bad\n", "ValueError: bad"),
        (
            "E1121 12:00:00.1 9 model.cc:1] no memory\nI1121 12:00:00.2 9 a.cc:2] bye\n",
            "no memory",
        ),
        (
            'E1121 12:00:00.1 9 a.cc:1] "no model.onnx"\nE1121 12:00:00.2 9 a.cc:2] exit timeout expired\n',
            "no model.onnx",
        ),
        (
            "W1121 12:00:00.1 9 a.cc:1] Pinned memory failed\nbye\n",
            "bye",
        ),
        (
            '{"event":"task_failed","error":"Redis is away","level":"error"}\n',
            "task_failed: Redis is away",
        ),
        ("x" * 1000, "x" * 500),
    ],
)
def test_tells_the_line_that_matters(log: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text(log)
    assert last_words(file) == told


def test_a_missing_log_has_no_words(tmp_path: Path) -> None:
    assert last_words(tmp_path / "none") == ""
