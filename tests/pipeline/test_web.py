from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter

from pipeline.auth import ApiKeys
from pipeline.errors import StartupFailed
from pipeline.readiness import Readiness
from pipeline.web import start_web
from scripts.system.ports import HOST, Ports
from tests.pipeline.guarded import KEY


@dataclass
class Web:
    port: int
    readiness: Readiness
    there: bool = True

    async def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        async with (
            aiohttp.ClientSession(headers={"api-key": KEY}) as session,
            session.request(method, f"http://{HOST}:{self.port}{path}") as response,
        ):
            return response.status, await response.text()


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    registry = CollectorRegistry()
    Counter("events_total", "Events", registry=registry).inc()

    async def check() -> bool:
        return served.there

    served = Web(Ports().take(name="web"), Readiness({"redis": check}, timeout_s=1))
    runner = await start_web(
        host=HOST,
        port=served.port,
        service="test",
        keys=ApiKeys([KEY]),
        readiness=served.readiness,
        registry=registry,
    )
    yield served
    await runner.cleanup()


async def test_health_says_that_the_process_lives_whatever_is_away(web: Web) -> None:
    assert await web.get("/health") == (200, '{"status": "alive"}')


async def test_ready_tells_part_by_part(web: Web) -> None:
    assert await web.get("/ready") == (503, '{"status": "not ready", "parts": {"redis": false}}')
    await web.readiness.refresh()
    assert await web.get("/ready") == (200, '{"status": "ready", "parts": {"redis": true}}')
    web.there = False
    await web.readiness.refresh()
    assert (await web.get("/ready"))[0] == 503


async def test_ready_is_over_with_the_drain_and_health_is_not(web: Web) -> None:
    await web.readiness.refresh()
    web.readiness.draining = True
    assert (await web.get("/ready"))[0] == 503
    assert (await web.get("/health"))[0] == 200


async def test_metrics_are_what_prometheus_reads(web: Web) -> None:
    status, text = await web.get("/metrics")
    assert status == 200
    assert "# TYPE events_total counter\nevents_total 1.0\n" in text


@pytest.mark.parametrize(("path", "method", "status"), [("/", "GET", 404), ("/health", "POST", 405)])
async def test_there_is_nothing_else(web: Web, path: str, method: str, status: int) -> None:
    assert (await web.get(path, method))[0] == status


async def test_a_port_in_use_is_one_clear_line(web: Web) -> None:
    with pytest.raises(StartupFailed, match=rf"^HTTP port {web.port} on {HOST} cannot be opened .*choose"):
        await start_web(
            host=HOST,
            port=web.port,
            service="test",
            keys=ApiKeys([KEY]),
            readiness=web.readiness,
            registry=CollectorRegistry(),
        )


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\r\n\r\n", b"GET /\x00 HTTP/9.9\r\n\r\n"])
async def test_bytes_that_are_no_http_are_refused_and_fill_no_log(
    web: Web, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection(HOST, web.port)
    writer.write(sent)
    async with asyncio.timeout(30):
        assert b" 400 " in await reader.readline()
    writer.close()
    assert caplog.records == []
