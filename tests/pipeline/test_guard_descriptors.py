"""Every method of the services that exist, read from their descriptors, wants a key; health wants none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc
from seawall.screening.v1 import screening_pb2, screening_pb2_grpc

from tests.pipeline.guarded import KEY, WITH_KEY, serving

SERVICES = [
    ingest_pb2.DESCRIPTOR.services_by_name["IngestService"],
    screening_pb2.DESCRIPTOR.services_by_name["ScreeningService"],
]
METHODS = [method for service in SERVICES for method in service.methods]
BAD_KEYS: list[tuple[tuple[str, str], ...]] = [(), (("api-key", "a-wrong-key-0123456789"),)]


def register(server: grpc.aio.Server) -> None:
    """The services as generated, with nothing behind their methods."""
    # At run time these are no abstract classes, whatever the stubs say.
    ingest: Any = ingest_pb2_grpc.IngestServiceServicer
    screening: Any = screening_pb2_grpc.ScreeningServiceServicer
    ingest_pb2_grpc.add_IngestServiceServicer_to_server(ingest(), server)
    screening_pb2_grpc.add_ScreeningServiceServicer_to_server(screening(), server)
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    reflection.enable_server_reflection((reflection.SERVICE_NAME,), server)


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    async with serving(register) as channel:
        yield channel


async def code_of(
    channel: grpc.aio.Channel, method: MethodDescriptor, metadata: tuple[tuple[str, str], ...]
) -> grpc.StatusCode:
    path = f"/{method.containing_service.full_name}/{method.name}"
    shape = (method.client_streaming, method.server_streaming)
    make: Any = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }[shape]
    request: object = iter([b""]) if method.client_streaming else b""
    code: grpc.StatusCode = await make(path)(request, metadata=metadata, timeout=10).code()
    return code


def test_there_are_methods_to_ask() -> None:
    assert {method.name for method in METHODS} >= {"Ingest", "IngestBatch", "IngestStream", "GetEventStatus"}
    assert {(m.client_streaming, m.server_streaming) for m in METHODS} >= {(False, False), (True, True)}


@pytest.mark.parametrize("metadata", BAD_KEYS)
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
async def test_every_method_is_refused_without_a_key(
    channel: grpc.aio.Channel, method: MethodDescriptor, metadata: tuple[tuple[str, str], ...]
) -> None:
    assert await code_of(channel, method, metadata) is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
async def test_with_the_key_every_method_is_reached(
    channel: grpc.aio.Channel, method: MethodDescriptor
) -> None:
    assert await code_of(channel, method, (("x-api-key", KEY),)) is not grpc.StatusCode.UNAUTHENTICATED


async def test_health_is_open(channel: grpc.aio.Channel) -> None:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("metadata", BAD_KEYS)
async def test_reflection_wants_a_key(
    channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...]
) -> None:
    make: Any = reflection_pb2_grpc.ServerReflectionStub
    ask = make(channel).ServerReflectionInfo
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    refused = ask(iter([request]), metadata=metadata)
    assert await refused.code() is grpc.StatusCode.UNAUTHENTICATED
    answers = [answer async for answer in ask(iter([request]), metadata=WITH_KEY)]
    assert [s.name for s in answers[0].list_services_response.service] == [reflection.SERVICE_NAME]
