"""Every method of every service, and every HTTP route: who is refused, how, and what is told of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.rpc import error_details_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry

from pipeline.auth import ApiKeys, Caller, Key, Scope, digest_of
from pipeline.http_routes import openapi
from pipeline.key_metrics import KeyMetrics
from pipeline.method_scopes import METHOD_SCOPES
from pipeline.readiness import Readiness
from pipeline.refusals import Refusals
from pipeline.status import details_of
from pipeline.web import start_web
from scripts.system.ports import HOST, Ports
from tests.fixtures.logs import Logged
from tests.pipeline.guarded import serving
from tests.pipeline.walk import (
    methods,
    open_routes,
    path_of,
    register_all,
    served_methods,
    status_of,
    walk_grpc,
    walk_http,
)

CODE = grpc.StatusCode
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
METHODS = methods()
WRONG, EXPIRED = "a-wrong-key-0123456789", "an-expired-key-0123456789"
KEYS = {scope: f"the-key-for-{scope}-0123456789" for scope in Scope}


@dataclass
class Doors:
    """A server of every method and an HTTP port, with a key for each scope."""

    channel: grpc.aio.Channel
    url: str
    registry: CollectorRegistry

    def refused(self, door: str, reason: str) -> float:
        labels = {"door": door, "reason": reason}
        return self.registry.get_sample_value("calls_refused_total", labels) or 0.0


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    registry = CollectorRegistry()
    keys = ApiKeys(
        listed=[
            *(Key(digest_of(key), Caller(scope, frozenset({scope}))) for scope, key in KEYS.items()),
            Key(digest_of(EXPIRED), Caller("old", frozenset(Scope)), expires_at_s=1.0),
        ],
        refused=Refusals(KeyMetrics(registry)).note,
    )
    port = Ports().take(name="web")
    web = await start_web(
        host=HOST,
        port=port,
        service="walk",
        keys=keys,
        readiness=Readiness({}, timeout_s=1),
        registry=registry,
    )

    def register(server: grpc.aio.Server) -> None:
        register_all(server)
        health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)

    async with serving(register, keys=keys) as channel:
        yield Doors(channel, f"http://{HOST}:{port}", registry)
    await web.cleanup()


def test_the_table_names_every_method_and_no_other() -> None:
    assert {path_of(method) for method in METHODS} == METHOD_SCOPES.keys() - {REFLECTION}
    shapes = {(method.client_streaming, method.server_streaming) for method in METHODS}
    assert shapes >= {(False, False), (False, True), (True, True)}


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [([], "no_key"), ([("api-key", WRONG)], "wrong_key"), ([("x-api-key", EXPIRED)], "expired")],
)
async def test_every_method_is_refused_without_a_key_in_force(
    doors: Doors, logged: Logged, metadata: list[tuple[str, str]], reason: str
) -> None:
    ended = await walk_grpc(doors.channel, METHODS, metadata)
    assert {code for code, _ in ended.values()} == {CODE.UNAUTHENTICATED}
    assert len(ended) == len(METHODS)
    assert doors.refused("grpc", reason) == len(METHODS)
    told = logged() + json.dumps([words for _, words in ended.values()])
    assert "call_refused" in told
    assert WRONG not in told
    assert EXPIRED not in told


@pytest.mark.parametrize("scope", Scope)
async def test_every_method_lets_its_own_scopes_in_and_no_other(
    doors: Doors, logged: Logged, scope: Scope
) -> None:
    ended = await walk_grpc(doors.channel, METHODS, [("api-key", KEYS[scope])])
    refused = {path for path, (code, _) in ended.items() if code is CODE.PERMISSION_DENIED}
    assert refused == {path for path, wanted in METHOD_SCOPES.items() if wanted and scope not in wanted}
    # Behind the guard is nothing here, and that is what the others find.
    assert {code for path, (code, _) in ended.items() if path not in refused} <= {
        CODE.INTERNAL,
        CODE.UNIMPLEMENTED,
    }
    assert doors.refused("grpc", "scope") == len(refused)
    assert KEYS[scope] not in logged() + json.dumps([words for _, words in ended.values()])


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
async def test_who_has_the_wrong_scope_is_told_the_right_one(doors: Doors, method: MethodDescriptor) -> None:
    wanted = METHOD_SCOPES[path_of(method)]
    scope = next(scope for scope in Scope if scope not in wanted)
    make: Any = {
        (False, False): doors.channel.unary_unary,
        (False, True): doors.channel.unary_stream,
        (True, False): doors.channel.stream_unary,
        (True, True): doors.channel.stream_stream,
    }[method.client_streaming, method.server_streaming]
    request: object = iter([b""]) if method.client_streaming else b""
    call = make(path_of(method))(request, metadata=(("api-key", KEYS[scope]),), timeout=10)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        _ = [answer async for answer in call] if method.server_streaming else await call
    status = details_of(refused.value)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain) == ("FORBIDDEN", "seawall")
    assert dict(info.metadata) == {"key": scope.value, "scope": " or ".join(sorted(wanted))}


@pytest.mark.parametrize("scope", Scope)
async def test_reflection_wants_any_key(doors: Doors, scope: Scope) -> None:
    services = await served_methods(doors.channel, [("api-key", KEYS[scope])])
    assert [path_of(method) for method in services] == [REFLECTION]
    assert await status_of(doors.channel, services[0], []) == (
        CODE.UNAUTHENTICATED,
        "no key: send one in the api-key or x-api-key metadata",
    )


async def test_health_is_open(doors: Doors) -> None:
    stub: Any = health_pb2_grpc.HealthStub(doors.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_method_that_the_table_does_not_name_is_open_to_nobody(doors: Doors) -> None:
    handler = grpc.method_handlers_generic_handler(
        "seawall.test.v1.New", {"Method": grpc.unary_unary_rpc_method_handler(lambda *_: b"")}
    )
    keys = ApiKeys(listed=[Key(digest_of(WRONG), Caller("all", frozenset(Scope)))])
    async with serving(lambda server: server.add_generic_rpc_handlers((handler,)), keys=keys) as channel:
        call: Any = channel.unary_unary("/seawall.test.v1.New/Method")
        ended = call(b"", metadata=(("api-key", WRONG),), timeout=10)
        assert await ended.code() is CODE.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({}, 401, "no_key"),
        ({"api-key": WRONG}, 401, "wrong_key"),
        ({"Authorization": f"Bearer {EXPIRED}"}, 401, "expired"),
        ({"Authorization": f"Basic {KEYS[Scope.READ]}"}, 401, "no_key"),
        ({"x-api-key": KEYS[Scope.ADMIN]}, 403, "scope"),
        ({"Authorization": f"Bearer {KEYS[Scope.INGEST]}"}, 403, "scope"),
    ],
)
async def test_every_route_but_the_open_ones_is_refused(
    doors: Doors,
    logged: Logged,
    headers: dict[str, str],
    status: int,
    reason: str,
) -> None:
    description = openapi("walk")
    ended = await walk_http(doors.url, description, headers)
    assert open_routes(description) == {"/health", "/ready"}
    assert {path for path, (code, _) in ended.items() if code == status} == {"/metrics", "/openapi.json"}
    assert doors.refused("http", reason) == 2
    told = logged() + json.dumps(ended)
    assert "call_refused" in told
    for secret in (WRONG, EXPIRED, KEYS[Scope.READ], KEYS[Scope.ADMIN], KEYS[Scope.INGEST]):
        assert secret not in told


@pytest.mark.parametrize(
    "headers", [{"Authorization": f"bearer {KEYS[Scope.READ]}"}, {"api-key": KEYS[Scope.READ]}]
)
async def test_every_route_answers_a_key_with_the_scope_read(doors: Doors, headers: dict[str, str]) -> None:
    ended = await walk_http(doors.url, openapi("walk"), headers)
    assert {path: code for path, (code, _) in ended.items()} == {
        "/health": 200,
        "/ready": 200,
        "/metrics": 200,
        "/openapi.json": 200,
    }
    assert json.loads(ended["/openapi.json"][1]) == openapi("walk")
