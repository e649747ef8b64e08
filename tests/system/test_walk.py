"""The real services refuse everywhere whoever has no key, or not the right one, and write no key down."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import grpc
import pytest

from pipeline.method_scopes import METHOD_SCOPES
from pipeline.server import channel_options
from scripts.system.services import Service
from scripts.system.system import System
from tests.pipeline.walk import open_routes, path_of, served_methods, walk_grpc, walk_http

CODE = grpc.StatusCode
WRONG = "a-wrong-key-of-a-stranger-0123456789"


@pytest.fixture(params=["ingest", "screener"])
async def service(system: System, request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    found: Service = getattr(system, request.param)
    yield found
    # Whatever was asked: it was noted, and no key was written down.
    log = found.process.log.read_text()
    assert "call_refused" in log
    for secret in (WRONG, system.api_key, system.admin_key):
        assert secret not in log
        assert secret not in found.metrics()


@pytest.mark.parametrize("metadata", [[], [("api-key", WRONG)]])
async def test_no_method_answers_a_stranger(
    system: System, service: Service, metadata: list[tuple[str, str]]
) -> None:
    async with grpc.aio.insecure_channel(service.address, options=channel_options()) as channel:
        methods = await served_methods(channel, [("api-key", system.api_key)])
        ended = await walk_grpc(channel, methods, metadata)
    assert len(ended) > 4
    assert {code for code, _ in ended.values()} == {CODE.UNAUTHENTICATED}
    assert not any(WRONG in words for _, words in ended.values())


async def test_no_method_answers_a_key_of_another_scope(system: System, service: Service) -> None:
    asked = [("api-key", system.admin_key)]
    async with grpc.aio.insecure_channel(service.address, options=channel_options()) as channel:
        methods = [
            method
            for method in await served_methods(channel, asked)
            if METHOD_SCOPES[path_of(method)] and not METHOD_SCOPES[path_of(method)] & {"admin", "read"}
        ]
        ended = await walk_grpc(channel, methods, asked)
    assert len(ended) >= 3
    assert {code for code, _ in ended.values()} == {CODE.PERMISSION_DENIED}


@pytest.mark.parametrize("headers", [{}, {"Authorization": f"Bearer {WRONG}"}])
async def test_no_route_but_the_open_ones_answers_a_stranger(
    system: System, service: Service, headers: dict[str, str]
) -> None:
    async with (
        aiohttp.ClientSession(headers={"api-key": system.api_key}) as session,
        session.get(f"{service.http_url}/openapi.json") as answer,
    ):
        description = await answer.json()
    ended = await walk_http(service.http_url, description, headers)
    assert {path for path, (status, _) in ended.items() if status != 401} == open_routes(description)
    assert not any(WRONG in body for _, body in ended.values())
