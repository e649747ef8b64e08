"""Each promise of SECURITY.md names tests, and they exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = r"`tests/[\w/]+\.py::test_\w+`"
BOUNDARIES = ["Client", "Service to service", "Redis", "Triton", "Operator", "Dependency"]


def promises(boundary: str) -> list[tuple[str, str]]:
    """Each promise of a boundary, and the cell of its tests."""
    section = PAGE.split(f"### {boundary}\n")[1].split("\n### ")[0].split("\n## ")[0]
    table = section.split("| promise | test |\n|---|---|\n")[1]
    return re.findall(r"^\| (.+?) \| (.+) \|$", table, re.MULTILINE)


def functions_of(path: Path) -> set[str]:
    """The test functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_boundary_has_promises_and_each_of_them_a_test() -> None:
    for boundary in BOUNDARIES:
        found = promises(boundary)
        assert found, boundary
        for promise, tests in found:
            assert re.fullmatch(r"`tests/[\w/]+\.py::test_\w+`(, `tests/[\w/]+\.py::test_\w+`)*", tests), (
                promise
            )


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)
    assert len(named) >= 30
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists() or name not in functions_of(ROOT / path)
    ]
    assert not missing


def test_every_file_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:pipeline|scripts|deploy|docs|tests)/[\w./-]+?)(?:::\w+)?`", PAGE))
    named |= set(re.findall(r"\]\((?!https?:)([^)#]+)", PAGE))
    assert not {path for path in named if not (ROOT / path).exists()}
