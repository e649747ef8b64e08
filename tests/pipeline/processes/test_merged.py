"""The metrics of several processes as those of one."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.processes.merged import merged


def metrics_of(events: int) -> str:
    """What a process says that has seen so many."""
    registry = CollectorRegistry()
    Counter("events_total", "Events", ["platform"], registry=registry).labels("discord").inc(events)
    Gauge("depth", "Entries", registry=registry).set(events)
    Histogram("took_seconds", "Calls", buckets=(1, 2), registry=registry).observe(events)
    return generate_latest(registry).decode()


def test_every_sample_is_there_with_its_process() -> None:
    both = merged({"worker-1": metrics_of(1), "worker-2": metrics_of(2)}).decode()
    samples = {
        (sample.name, sample.labels["process"], sample.labels.get("le", "")): sample.value
        for family in text_string_to_metric_families(both)
        for sample in family.samples
    }
    assert samples["events_total", "worker-1", ""] == 1
    assert samples["events_total", "worker-2", ""] == 2
    assert samples["depth", "worker-2", ""] == 2
    assert samples["took_seconds_bucket", "worker-1", "1.0"] == 1
    assert samples["took_seconds_bucket", "worker-2", "1.0"] == 0


def test_a_metric_is_described_once() -> None:
    """A second `# TYPE` of a name is an error to whoever reads the text format."""
    lines = merged({"worker-1": metrics_of(1), "worker-2": metrics_of(2)}).decode().splitlines()
    described = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert sorted(described) == sorted(set(described))
    assert {"events_total", "depth", "took_seconds"} <= set(described)
