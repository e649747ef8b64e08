"""One event's whole way, through real processes: gRPC, Redis, Triton with e5-small-v2, FAISS, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from seawall.ingest.v1 import ingest_pb2
from seawall.screening.v1 import screening_pb2, verdict_pb2

from pipeline.keys import ONLY
from pipeline.status import details_of
from scripts.system.services import Service
from scripts.system.system import System
from tests.fixtures.events import MakeEvent
from tests.fixtures.system import Clients


async def test_an_insult_gets_its_verdict_with_every_part_of_it(
    clients: Clients, make_event: MakeEvent
) -> None:
    event = make_event(event_id="insult-1", content="You are a worthless idiot and everybody here hates you")
    [outcome] = await clients.send(event)
    assert outcome.code == ingest_pb2.OUTCOME_CODE_ACCEPTED
    verdict = await clients.verdict("insult-1")
    assert verdict.category in (verdict_pb2.CATEGORY_TOXIC, verdict_pb2.CATEGORY_TARGETED_HARASSMENT)
    assert verdict.route == verdict_pb2.ROUTE_REASONING_QUEUE
    assert verdict.risk_score > 0.7
    assert (verdict.model_name, verdict.model_version >= 1, verdict.degraded) == ("e5_risk", True, False)
    assert verdict.platform == 1
    assert verdict.author_id == event.author_id
    matched = {event.content[flag.start : flag.end].lower() for flag in verdict.flags}
    assert any("idiot" in text for text in matched)
    assert verdict.timings.total_ms > 0


async def test_small_talk_goes_to_low_risk(clients: Clients, make_event: MakeEvent) -> None:
    await clients.send(
        make_event(event_id="calm-1", content="Good morning! Who is joining the raid tonight?")
    )
    verdict = await clients.verdict("calm-1")
    assert (verdict.category, verdict.route) == (verdict_pb2.CATEGORY_LOW_RISK, verdict_pb2.ROUTE_LOW_RISK)


async def test_a_duplicate_has_the_status_and_verdict_of_the_first(
    clients: Clients, make_event: MakeEvent
) -> None:
    text = "The very same words, sent twice by one person"
    first, second = (
        make_event(event_id="first-1", content=text),
        make_event(event_id="second-1", content=text),
    )
    outcomes = await clients.send(first, second)
    assert [o.code for o in outcomes] == [ingest_pb2.OUTCOME_CODE_ACCEPTED, ingest_pb2.OUTCOME_CODE_DUPLICATE]
    assert outcomes[1].duplicate_of == "first-1"
    verdict = await clients.verdict("first-1")
    status = await clients.status("second-1")
    assert (status.duplicate_of, status.verdict) == ("first-1", verdict)


async def test_direct_screening_answers_and_leaves_no_trace(clients: Clients, make_event: MakeEvent) -> None:
    await clients.until_drained()
    streams = (ONLY.raw, ONLY.reasoning_queue, ONLY.low_risk, ONLY.embeddings, ONLY.dead_letter)
    before = [await clients.store.xlen(stream) for stream in streams]
    event = make_event(event_id="direct-1", content="I will find you and kill you, count on it")
    reply = await clients.screening.Screen(
        screening_pb2.ScreenRequest(event=event.to_proto()), metadata=clients.metadata, timeout=30
    )
    assert reply.verdict.category == verdict_pb2.CATEGORY_VIOLENCE
    assert [await clients.store.xlen(stream) for stream in streams] == before
    assert (await clients.status("direct-1")).state == ingest_pb2.EVENT_STATE_UNKNOWN
    similar = await clients.screening.FindSimilar(
        screening_pb2.FindSimilarRequest(content=event.content, min_cosine=0.99),
        metadata=clients.metadata,
        timeout=30,
    )
    assert "direct-1" not in [s.event_id for s in similar.similar_events]


async def test_screening_directly_and_through_the_queue_agree(
    clients: Clients, make_event: MakeEvent
) -> None:
    event = make_event(event_id="agree-1", content="Buy followers now, cheap and instant delivery")
    direct = await clients.screening.Screen(
        screening_pb2.ScreenRequest(event=event.to_proto()), metadata=clients.metadata, timeout=30
    )
    await clients.send(event)
    queued = await clients.verdict("agree-1")
    assert queued.category == direct.verdict.category
    assert queued.risk_score == pytest.approx(direct.verdict.risk_score, abs=0.02)


async def test_a_bad_event_fails_nothing_else_of_its_batch(clients: Clients, make_event: MakeEvent) -> None:
    good, bad = make_event(event_id="good", content="hello there"), make_event(event_id="bad", author_id="")
    reply = await clients.screening.ScreenBatch(
        screening_pb2.ScreenBatchRequest(events=[good.to_proto(), bad.to_proto(), good.to_proto()]),
        metadata=clients.metadata,
        timeout=30,
    )
    assert [r.WhichOneof("result") for r in reply.results] == ["verdict", "rejection", "verdict"]
    assert [v.field for v in reply.results[1].rejection.violations] == ["author_id"]


async def test_a_stream_answers_each_item_by_its_number(clients: Clients, make_event: MakeEvent) -> None:
    events = [make_event(event_id=f"s{i}", content=f"stream item {i}") for i in range(40)]
    events[7] = make_event(event_id="s7", content="")

    async def requests() -> AsyncIterator[screening_pb2.ScreenStreamRequest]:
        for number, event in enumerate(events):
            yield screening_pb2.ScreenStreamRequest(correlation_id=number, event=event.to_proto())

    call = clients.screening.ScreenStream(requests(), metadata=clients.metadata, timeout=60)
    answers = {answer.correlation_id: answer.result async for answer in call}
    assert sorted(answers) == list(range(40))
    assert answers[7].WhichOneof("result") == "rejection"
    assert all(answers[i].verdict.event_id == f"s{i}" for i in range(40) if i != 7)


async def test_finds_earlier_events_that_mean_the_same(clients: Clients, make_event: MakeEvent) -> None:
    await clients.send(make_event(event_id="sim-1", content="Where can I download the new map pack?"))
    await clients.verdict("sim-1")
    found: list[str] = []
    for _ in range(100):  # the index follows its stream within moments
        reply = await clients.screening.FindSimilar(
            screening_pb2.FindSimilarRequest(content="where do i download that new map pack"),
            metadata=clients.metadata,
            timeout=30,
        )
        found = [s.event_id for s in reply.similar_events]
        if "sim-1" in found:
            break
    assert "sim-1" in found


async def test_a_bad_question_names_every_field(clients: Clients) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await clients.screening.FindSimilar(
            screening_pb2.FindSimilarRequest(content="", limit=500, min_cosine=float("nan")),
            metadata=clients.metadata,
            timeout=30,
        )
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = details_of(caught.value)
    assert status is not None
    request = error_details_pb2.BadRequest()
    assert status.details[0].Unpack(request)
    assert [v.field for v in request.field_violations] == ["content", "limit", "min_cosine"]


@pytest.mark.parametrize("metadata", [(), (("api-key", "wrong-key-wrong-key-wrong"),)])
async def test_no_method_of_the_screener_answers_without_a_key(
    system: System, metadata: tuple[tuple[str, str], ...]
) -> None:
    service = screening_pb2.DESCRIPTOR.services_by_name["ScreeningService"]
    assert len(service.methods) >= 4
    async with grpc.aio.insecure_channel(system.screener_address) as channel:
        for method in service.methods:
            path = f"/{service.full_name}/{method.name}"
            shape: Any = channel.stream_stream if method.client_streaming else channel.unary_unary
            call = shape(path)(iter([b""]) if method.client_streaming else b"", metadata=metadata, timeout=10)
            assert await call.code() is grpc.StatusCode.UNAUTHENTICATED, method.name


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("ingest_address", "seawall.ingest.v1.IngestService"),
        ("screener_address", "seawall.screening.v1.ScreeningService"),
    ],
)
async def test_health_is_open_and_reflection_lists_the_service(
    system: System, clients: Clients, name: str, service: str
) -> None:
    async with grpc.aio.insecure_channel(getattr(system, name)) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        reply = await health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
        assert reply.status == health_pb2.HealthCheckResponse.SERVING
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[arg-type]
        call = reflection.ServerReflectionInfo(
            iter([reflection_pb2.ServerReflectionRequest(list_services="")]),
            metadata=clients.metadata,
            timeout=10,
        )
        listed = [s.name async for answer in call for s in answer.list_services_response.service]
    assert service in listed


def test_metrics_that_dashboards_rest_on_are_there(system: System) -> None:
    def names(service: Service) -> set[str]:
        return {line.split()[2] for line in service.metrics().splitlines() if line.startswith("# TYPE")}

    assert {
        "events_received_total",
        "validation_errors_total",
        "events_deduplicated_total",
        "events_queue_depth",
        "ingestion_latency_seconds",
    } <= names(system.ingest)
    assert {
        "events_screened_total",
        "screening_latency_seconds",
        "embedding_latency_seconds",
        "screening_risk_score",
        "embedding_cache_hits_total",
        "screening_batch_size",
    } <= names(system.screener)
