from __future__ import annotations

import grpc
import pytest
import redis.asyncio as aioredis
from prometheus_client import CollectorRegistry, generate_latest

from ingest.metrics import IngestMetrics
from tests.fixtures.events import MakeEvent
from tests.ingest.door import Ingest, serving_ingest


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("events_received_total", "counter"),
        ("validation_errors_total", "counter"),
        ("events_deduplicated_total", "counter"),
        ("events_queue_depth", "gauge"),
        ("ingestion_latency_seconds", "histogram"),
    ],
)
def test_the_promised_metrics_exist_with_a_meaning(name: str, kind: str) -> None:
    registry = CollectorRegistry()
    IngestMetrics(registry)
    text = generate_latest(registry).decode()
    assert f"# TYPE {name} {kind}\n" in text
    assert f"# HELP {name} " in text


async def test_events_are_counted_by_what_became_of_them(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    async with serving_ingest(store, depth_limit=1) as ingest:
        await ingest.batch(
            [
                make_event(),
                make_event(event_id="event-2"),
                make_event(event_id="event-1", content="other"),
                make_event(event_id="event-4", content="no room"),
                make_event(event_id="event-5", content="", author_id=""),
                make_event(event_id="event-6", platform=99),
            ]
        )
        assert ingest.metric("events_received_total", platform="discord") == 5
        assert ingest.metric("events_received_total", platform="unspecified") == 1
        assert ingest.metric("events_accepted_total", hand_off="stream") == 1
        assert ingest.metric("events_deduplicated_total") == 1
        assert ingest.metric("events_refused_total", reason="queue") == 1
        assert ingest.metric("events_queue_depth") == 1
        assert {
            field: ingest.metric("validation_errors_total", field=field)
            for field in ("event_id", "content", "author_id", "platform")
        } == {"event_id": 1, "content": 1, "author_id": 1, "platform": 1}
        assert ingest.metric("admission_batch_size_sum") == 4


async def test_calls_are_counted_by_status_and_timed_by_method(ingest: Ingest, make_event: MakeEvent) -> None:
    await ingest.one(make_event())
    with pytest.raises(grpc.aio.AioRpcError):
        await ingest.one(make_event(content=""))
    assert ingest.metric("rpcs_total", method="Ingest", code="OK") == 1
    assert ingest.metric("rpcs_total", method="Ingest", code="INVALID_ARGUMENT") == 1
    assert ingest.metric("ingestion_latency_seconds_count", method="Ingest") == 1
    assert 0 < ingest.metric("ingestion_latency_seconds_sum", method="Ingest") < 10


def test_methods_that_are_not_ours_share_a_label() -> None:
    registry = CollectorRegistry()
    IngestMetrics(registry).observe_rpc("/grpc.reflection.v1alpha.ServerReflection/X", "OK", 0.1)
    assert registry.get_sample_value("rpcs_total", {"method": "other", "code": "OK"}) == 1
