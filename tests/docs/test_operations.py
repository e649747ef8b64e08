"""What docs/operations.md tells people to look at exists, and its programs are whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from ingest.metrics import IngestMetrics
from ingest.settings import IngestSettings
from screener.metrics import ScreenerMetrics
from screener.settings import ScreenerSettings
from scripts.system.redis import USERS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
COMPOSE_ALONE = {
    "SCREENER_REPLICAS",
    "TRITON_ADMIN_SECRET",
    *(f"REDIS_{user.upper()}_PASSWORD" for user in USERS),
}
OF_COMMANDS = {"API_KEY", "API_KEY_FILE"}


def test_every_metric_of_the_runbook_exists() -> None:
    exported = set()
    for metrics in (IngestMetrics, ScreenerMetrics):
        registry = CollectorRegistry()
        metrics(registry)
        exported |= {m.name + ("_total" if m.type == "counter" else "") for m in registry.collect()}
    named = set(re.findall(r"\b[a-z]+(?:_[a-z]+)*_(?:total|seconds|depth|groups)\b", PAGE))
    assert named
    assert not named - exported


def test_every_setting_that_is_named_exists() -> None:
    known = {name.upper() for s in (IngestSettings, ScreenerSettings) for name in s.model_fields}
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=\w+)?`", PAGE)) - COMPOSE_ALONE
    named -= OF_COMMANDS | {name for name in named if name.startswith(("RETRY_", "NOT_", "DEAD_"))}
    assert named
    assert not named - known


def test_every_log_event_that_is_named_is_written_somewhere() -> None:
    named = re.findall(r"`(\w+)`", PAGE.split("Those that\nmatter:")[1])
    code = "".join(
        path.read_text(encoding="utf-8")
        for package in ("pipeline", "ingest", "screener")
        for path in (ROOT / package).rglob("*.py")
    )
    assert named
    assert not {event for event in named if f'"{event}"' not in code}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_of_the_pages_compiles(page: Path) -> None:
    for number, source in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)):
        compile(source, f"{page.name}, program {number}", "exec")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    # Written by whoever owns the subject, and maybe after this page.
    later = {"heuristics.md", "model-card.md", "docs/heuristics.md", "docs/model-card.md"}
    assert not {link for link in links if link not in later and not (page.parent / link).exists()}
