"""`python -m ingest` as a process: how it starts, lives and ends."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import redis.asyncio as aioredis
from grpc_health.v1 import health_pb2, health_pb2_grpc
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc

from pipeline.keys import ONLY
from scripts.system.ports import HOST, Ports
from scripts.system.process import ProcessDied
from scripts.system.redis import RedisServer
from scripts.system.services import Service, ServicePorts
from tests.fixtures.digests import DEDUP_SECRET
from tests.fixtures.events import MakeEvent
from tests.ingest.door import ACCEPTED, retry_after_s
from tests.pipeline.guarded import KEY, WITH_KEY

INGEST = "seawall.ingest.v1.IngestService"
SECRET = "hush-hush-hush-hush"
States = health_pb2.HealthCheckResponse


def a_service(folder: Path, redis_url: str, **settings: str) -> Service:
    ports = Ports()
    return Service(
        "ingest",
        ports=ServicePorts(ports.take(name="gRPC"), ports.take(name="HTTP")),
        settings={
            "API_KEYS": KEY,
            "DEDUP_SECRET": DEDUP_SECRET,
            "REDIS_URL": redis_url,
            "REDIS_TIMEOUT_MS": "500",
            "DRAIN_GRACE_MS": "3000",
            **settings,
        },
        folder=folder,
    )


@pytest.fixture
def service(redis_server: RedisServer, store: aioredis.Redis, tmp_path: Path) -> Iterator[Service]:
    service = a_service(tmp_path, redis_server.url)
    service.start()
    try:
        service.wait_ready(timeout_s=30)
        yield service
    finally:
        service.process.kill()


@pytest.fixture
async def channel(service: Service) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(service.address) as channel:
        yield channel


def get(service: Service, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(HOST, service.ports.http, timeout=5)
    try:
        connection.request("GET", path, headers=dict(WITH_KEY))
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def log_of(service: Service) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.process.log.read_text().splitlines()]


async def health(channel: grpc.aio.Channel, name: str = INGEST) -> int:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    answer: health_pb2.HealthCheckResponse = await stub.Check(
        health_pb2.HealthCheckRequest(service=name), timeout=5
    )
    return answer.status


async def ended(service: Service) -> None:
    async with asyncio.timeout(20):
        while service.process.running:
            await asyncio.sleep(0.02)


async def test_serves_health_metrics_and_events(
    service: Service, channel: grpc.aio.Channel, make_event: MakeEvent
) -> None:
    assert [await health(channel, name) for name in ("", INGEST)] == [States.SERVING] * 2
    assert get(service, "/health") == (200, '{"status": "alive"}')
    assert get(service, "/ready") == (200, '{"status": "ready", "parts": {"redis": true}}')
    request = ingest_pb2.IngestRequest(event=make_event(created_at_ms=None).to_proto())
    stub = ingest_pb2_grpc.IngestServiceStub(channel)
    assert (await stub.Ingest(request, metadata=WITH_KEY, timeout=10)).outcome.code == ACCEPTED
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.Ingest(request, timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    status, text = get(service, "/metrics")
    assert status == 200
    assert 'events_received_total{platform="discord"} 1.0' in text
    assert 'ingestion_latency_seconds_count{method="Ingest"} 1.0' in text


async def test_says_not_serving_before_it_stops_and_ends_calls_under_way(
    service: Service, channel: grpc.aio.Channel, make_event: MakeEvent
) -> None:
    watching: Any = health_pb2_grpc.HealthStub(channel)
    watch = watching.Watch(health_pb2.HealthCheckRequest(service=INGEST))
    assert (await watch.read()).status == States.SERVING
    stream = ingest_pb2_grpc.IngestServiceStub(channel).IngestStream(metadata=WITH_KEY, timeout=20)
    request = ingest_pb2.IngestStreamRequest(correlation_id=1, event=make_event().to_proto())
    await stream.write(request)
    await stream.read()

    service.process.send_signal(signal.SIGTERM)
    assert (await asyncio.wait_for(watch.read(), 5)).status == States.NOT_SERVING
    # A stream that is open may end its work.
    request.correlation_id = 2
    await stream.write(request)
    answer = await stream.read()
    assert isinstance(answer, ingest_pb2.IngestStreamResponse)
    assert answer.correlation_id == 2
    await stream.done_writing()
    assert await stream.code() is grpc.StatusCode.OK
    watch.cancel()
    await ended(service)
    with pytest.raises(ProcessDied, match="exit status 0"):
        service.process.check()
    events = [line["event"] for line in log_of(service)]
    assert [e for e in events if e in ("started", "draining", "stopped")] == [
        "started",
        "draining",
        "stopped",
    ]


async def test_a_caller_that_never_ends_does_not_hold_up_the_end(
    redis_server: RedisServer, store: aioredis.Redis, tmp_path: Path
) -> None:
    service = a_service(tmp_path, redis_server.url, DRAIN_GRACE_MS="200")
    service.start()
    try:
        service.wait_ready(timeout_s=30)
        async with grpc.aio.insecure_channel(service.address) as channel:
            stream = ingest_pb2_grpc.IngestServiceStub(channel).IngestStream(metadata=WITH_KEY)
            await stream.wait_for_connection()
            service.process.send_signal(signal.SIGTERM)
            started = time.monotonic()
            await ended(service)
            assert time.monotonic() - started < 5
    finally:
        service.process.kill()


async def test_its_log_is_json_without_content_or_keys(
    service: Service, channel: grpc.aio.Channel, make_event: MakeEvent
) -> None:
    stub = ingest_pb2_grpc.IngestServiceStub(channel)
    event = make_event(content=SECRET, author_id="somebody")
    await stub.Ingest(ingest_pb2.IngestRequest(event=event.to_proto()), metadata=WITH_KEY, timeout=10)
    service.stop()
    lines = log_of(service)
    assert {"started", "part_ready", "stopped"} <= {line["event"] for line in lines}
    assert {line["service"] for line in lines} == {"ingest"}
    assert not any(word in json.dumps(lines) for word in (SECRET, "somebody", KEY))


async def test_health_follows_redis_and_calls_are_unavailable_meanwhile(
    tmp_path: Path, make_event: MakeEvent
) -> None:
    redis = RedisServer(port=Ports().take(name="Redis"), folder=tmp_path)
    redis.start()
    redis.wait_ready()
    service = a_service(tmp_path, redis.url)
    service.start()
    try:
        service.wait_ready(timeout_s=30)
        async with grpc.aio.insecure_channel(service.address) as channel:
            redis.process.kill()
            async with asyncio.timeout(10):
                while await health(channel) != States.NOT_SERVING:
                    await asyncio.sleep(0.05)
            assert get(service, "/ready")[0] == 503
            assert get(service, "/health")[0] == 200
            stub = ingest_pb2_grpc.IngestServiceStub(channel)
            request = ingest_pb2.IngestRequest(event=make_event().to_proto())
            with pytest.raises(grpc.aio.AioRpcError) as failed:
                await stub.Ingest(request, metadata=WITH_KEY, timeout=10)
            assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
            assert retry_after_s(failed.value) > 0
            redis.start()
            redis.wait_ready()
            async with asyncio.timeout(10):
                while await health(channel) != States.SERVING:
                    await asyncio.sleep(0.05)
            assert (await stub.Ingest(request, metadata=WITH_KEY, timeout=10)).outcome.code == ACCEPTED
    finally:
        service.process.kill()
        redis.process.kill()


async def test_sigterm_fails_nobody_who_waits_for_a_verdict(
    service: Service, channel: grpc.aio.Channel, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    stub: Any = ingest_pb2_grpc.IngestServiceStub(channel)
    request = ingest_pb2.IngestRequest(event=make_event().to_proto(), wait_for_verdict=True)
    request.verdict_timeout.FromSeconds(60)
    asked = asyncio.ensure_future(stub.Ingest(request, metadata=WITH_KEY, timeout=90))
    async with asyncio.timeout(20):
        while not await store.xlen(ONLY.raw):
            await asyncio.sleep(0.02)
    await asyncio.to_thread(service.stop)
    answer = await asked
    assert (answer.outcome.code, answer.HasField("verdict")) == (ACCEPTED, False)


def first_words(service: Service) -> tuple[int, str]:
    """Runs a service that cannot start: its exit status, and all that it said."""
    service.start()
    try:
        deadline = time.monotonic() + 30
        while service.process.running and time.monotonic() < deadline:
            time.sleep(0.02)
        with pytest.raises(ProcessDied) as died:
            service.process.check()
    finally:
        service.process.kill()
    assert "exit status 1" in str(died.value)
    return 1, service.process.log.read_text()


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            {"API_KEYS": ""},
            "ingest: API_KEYS is empty; allowed: one or more keys of at least 16 characters, "
            "or a file of keys in API_KEYS_FILE\n",
        ),
        (
            {"API_KEYS": f"{SECRET},short"},
            "ingest: API_KEYS holds a key of 5 characters; allowed: 16 or more\n",
        ),
        (
            {"DEDUP_SECRET": SECRET},
            "ingest: DEDUP_SECRET holds 19 characters; allowed: 32 or more, the same for every service\n",
        ),
        (
            {"MAX_QUEUE_DEPTH": "many"},
            "ingest: MAX_QUEUE_DEPTH=many: allowed: from 10 to 100000000\n",
        ),
        (
            {"HANDOFF": "direct"},
            "ingest: SCREENER_API_KEY is empty; allowed: one of the screeners' HANDOFF_API_KEYS\n",
        ),
        (
            {"REDIS_URL": f"http://:{SECRET}@host"},
            "ingest: REDIS_URL is not valid; allowed: redis://, rediss:// or unix://, "
            "as in redis://:password@host:6379/0\n",
        ),
    ],
)
def test_a_bad_setting_is_one_clear_line(tmp_path: Path, settings: dict[str, str], line: str) -> None:
    assert first_words(a_service(tmp_path, "redis://127.0.0.1:1/0", **settings)) == (1, line)


@pytest.mark.parametrize(("port", "what"), [("grpc", "gRPC"), ("http", "HTTP")])
def test_a_port_in_use_is_one_clear_line(tmp_path: Path, port: str, what: str) -> None:
    service = a_service(tmp_path, "redis://127.0.0.1:1/0")
    number = getattr(service.ports, port)
    with socket.create_server((HOST, number)):
        _, said = first_words(service)
    assert said.count("\n") == 1
    assert said.startswith(f"ingest: {what} port {number} on {HOST} cannot be opened (")
    assert said.endswith("; choose another\n")
