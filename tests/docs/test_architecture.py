"""docs/architecture.md names what is there, and nothing that is not."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pipeline.keys import ONLY
from pipeline.record import RecordState

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def direct_dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(w for extra in project["optional-dependencies"].values() for w in extra),
    ]
    return {re.split(r"[<>=\[~! ]", requirement)[0] for requirement in wanted}


def test_every_direct_dependency_has_its_reason() -> None:
    rows = "\n".join(line for line in PAGE.splitlines() if line.startswith("| `"))
    assert not {name for name in direct_dependencies() if f"`{name}`" not in rows}


def test_no_reason_is_given_for_a_package_that_is_gone() -> None:
    section = PAGE.split("## Dependencies")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    assert named == direct_dependencies()


def test_every_file_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:pipeline|ingest|screener|scripts|protos|deploy|tests)/[\w./]+)`", PAGE))
    assert named
    assert not {path for path in named if not (ROOT / path).exists()}


def test_every_script_and_stream_is_named() -> None:
    scripts = {path.relative_to(ROOT) for path in ROOT.glob("*/*.lua")}
    assert not {script for script in scripts if f"`{script}`" not in PAGE}
    streams = (
        ONLY.raw,
        ONLY.direct,
        ONLY.reasoning_queue,
        ONLY.low_risk,
        ONLY.dead_letter,
        ONLY.embeddings,
        ONLY.attempts,
        ONLY.trimmed,
        ONLY.audit,
    )
    assert not {name for name in streams if f"| `{name}` |" not in PAGE}


def test_every_state_of_a_record_is_named() -> None:
    assert not {state for state in RecordState if f"| `{state.value.decode()}` |" not in PAGE}
