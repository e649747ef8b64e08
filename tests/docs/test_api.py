"""docs/api.md tells of every method and every metric, and of none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from seawall.ingest.v1 import ingest_pb2
from seawall.screening.v1 import screening_pb2

from ingest.metrics import IngestMetrics
from pipeline.method_scopes import METHOD_SCOPES
from pipeline.server_bounds import MAX_MESSAGE_BYTES
from pipeline.validation import MAX_ATTRIBUTES, MAX_CONTENT_CHARS, MAX_ID_CHARS
from screener.metrics import ScreenerMetrics

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
EVERY_METHOD = (ROOT / "benchmarks" / "ghz" / "every_method.sh").read_text(encoding="utf-8")

METHODS = [
    (service.full_name, method.name)
    for descriptor in (ingest_pb2.DESCRIPTOR, screening_pb2.DESCRIPTOR)
    for service in descriptor.services_by_name.values()
    for method in service.methods
]


def table_rows(heading: str) -> dict[str, str]:
    """Rows of the section's tables, by the name in their first cell."""
    section = PAGE.split(heading)[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE))


def exported(registry: CollectorRegistry) -> dict[str, str]:
    """Type of each metric, by the name that Prometheus shows."""
    return {
        f"{metric.name}_total" if metric.type == "counter" else metric.name: metric.type
        for metric in registry.collect()
    }


@pytest.mark.parametrize(
    ("metrics", "heading", "end"),
    [(IngestMetrics, "Of ingest:", "Of the screener:"), (ScreenerMetrics, "Of the screener:", "Every label")],
)
def test_tables_show_every_metric_with_its_type(
    metrics: type[IngestMetrics | ScreenerMetrics], heading: str, end: str
) -> None:
    registry = CollectorRegistry()
    metrics(registry)
    table = PAGE.split(heading)[1].split(end)[0]
    shown = dict(re.findall(r"^\| `(\w+)` \| (\w+)", table, re.MULTILINE))
    assert shown == exported(registry)


@pytest.mark.parametrize(
    ("metric", "attribute"),
    [
        ("events_refused_total", "refused"),
        ("events_dead_lettered_total", "dead_lettered"),
        ("batches_held_total", "held"),
    ],
)
def test_values_of_labels_are_told(metric: str, attribute: str) -> None:
    code = "".join(
        path.read_text() for package in ("ingest", "screener") for path in ROOT.glob(f"{package}/*.py")
    )
    written = set(re.findall(rf'{attribute}\.labels\("(\w+)"\)', code))
    if attribute == "dead_lettered":
        written = set(re.findall(r'\bgive_up\(\w+, "(\w+)"', code))
    [row] = re.findall(rf"^\| `{metric}` \| (.*)$", PAGE, re.MULTILINE)
    assert written
    assert written <= set(re.findall(r"`(\w+)`", row))


@pytest.mark.parametrize(("service", "method"), METHODS, ids=str)
def test_every_method_is_described_and_called(service: str, method: str) -> None:
    assert method in table_rows(f"## {service} (")
    assert f"{service}/{method}" in PAGE
    assert re.search(rf"^service={re.escape(service)}$", EVERY_METHOD, re.MULTILINE)
    assert re.search(rf"^both_ways \S+ \$service {method} ", EVERY_METHOD, re.MULTILINE)


def test_every_outcome_and_state_is_described() -> None:
    enums = ingest_pb2.DESCRIPTOR.enum_types_by_name
    names = [name for enum in ("OutcomeCode", "EventState") for name in enums[enum].values_by_name]
    wanted = {name.removeprefix("OUTCOME_CODE_") for name in names if not name.endswith("UNSPECIFIED")}
    assert not {name for name in wanted if f"| `{name}` |" not in PAGE}


def test_limits_are_those_of_the_code() -> None:
    assert f"at most {MAX_MESSAGE_BYTES // 2**20} MiB" in PAGE
    assert f"1 to {MAX_CONTENT_CHARS:,} characters" in PAGE
    assert f"1 to {MAX_ID_CHARS} printable" in PAGE
    assert f"at most {MAX_ATTRIBUTES} entries" in PAGE


Scopes = dict[str, set[str]]


def scopes_told() -> Scopes:
    """Of each method the scopes that the page tells."""
    rows = re.findall(
        r"^\| (`\w+`(?:, `\w+`)*) \| (`.*) \|$",
        PAGE.split("**Scopes.**")[1].split("**Quota.**")[0],
        re.MULTILINE,
    )
    return {
        method: set(re.findall(r"`(\w+)`", scopes))
        for methods, scopes in rows
        for method in re.findall(r"`(\w+)`", methods)
    }


def test_the_scopes_of_every_method_are_told() -> None:
    wanted = {
        path.rsplit("/", 1)[1]: {str(s) for s in scopes} for path, scopes in METHOD_SCOPES.items() if scopes
    }
    assert scopes_told() == wanted
