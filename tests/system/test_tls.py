"""The whole pipeline over TLS, as `scripts/run --tls` starts it, each part with its own user of Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from seawall.ingest.v1 import ingest_pb2_grpc
from seawall.screening.v1 import screening_pb2_grpc

from pipeline.channel import open_channel
from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from pipeline.store import connect
from scripts.system.certificates import development_set
from scripts.system.system import System
from tests.fixtures.authority import serial_of, served_serial
from tests.fixtures.events import MakeEvent
from tests.fixtures.system import Clients

pytestmark = pytest.mark.tls_redis


@pytest.fixture(scope="module")
def secured() -> Iterator[System]:
    with System(tls=True, hand_off=HandOff.DIRECT) as running:
        yield running


@asynccontextmanager
async def connected(system: System) -> AsyncIterator[Clients]:
    assert system.tls is not None
    async with (
        open_channel(system.ingest_address, system.tls.credentials) as ingest,
        open_channel(system.screener_address, system.tls.credentials) as screener,
        connect(system.redis_url, timeout_ms=5_000, certificates=system.tls.of_client("REDIS")) as store,
    ):
        yield Clients(
            ingest_pb2_grpc.IngestServiceStub(ingest),
            screening_pb2_grpc.ScreeningServiceStub(screener),
            store,
            (("api-key", system.api_key),),
        )


async def test_events_get_their_verdicts_on_both_ways(secured: System, make_event: MakeEvent) -> None:
    assert secured.tls is not None
    assert secured.tls.of_redis
    assert secured.redis_url.startswith("rediss://")
    async with connected(secured) as clients:
        await clients.send(*(make_event(event_id=f"e{i}", content=f"text {i}") for i in range(20)))
        for i in range(20):
            assert (await clients.verdict(f"e{i}")).event_id == f"e{i}"
        await clients.until_drained()
        assert await clients.store.xlen(ONLY.embeddings) > 0  # the model took part
    metrics = await asyncio.to_thread(secured.ingest.metrics)
    assert 'events_accepted_total{hand_off="direct"} ' in metrics
    for name in ("tls", "redis", "screener"):
        assert f'tls_certificate_left_seconds{{certificate="{name}"}} ' in metrics
    assert 'tls_certificate_left_seconds{certificate="triton"} ' in secured.screener.metrics()


async def test_nobody_speaks_plain_text(secured: System) -> None:
    ports = [
        secured.redis.port,
        secured.triton.ports.grpc,
        *(
            port
            for service in (secured.ingest, secured.screener)
            for port in (service.ports.grpc, service.ports.http)
        ),
    ]
    for port in ports:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"PING\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = b""
        with suppress(ConnectionResetError):
            async with asyncio.timeout(60):
                answer = await reader.read(100)
        writer.close()
        assert b"PONG" not in answer
        assert b"HTTP/1.1 200" not in answer


async def test_all_certificates_are_changed_and_no_event_is_refused(
    secured: System, make_event: MakeEvent
) -> None:
    assert secured.tls is not None
    folder, over, sent = secured.tls.authority.folder, asyncio.Event(), 0

    async def send() -> None:
        nonlocal sent
        while not over.is_set():
            async with connected(secured) as clients:
                event = make_event(event_id=f"r{sent}", content=f"text r{sent}")
                sent += 1
                [outcome] = await clients.send(event)
                assert not outcome.violations
                await clients.verdict(event.event_id)

    sending = asyncio.create_task(send())
    for _ in range(2):
        development_set(folder)
        client, trusted = secured.tls.authority.pair_of("client"), secured.tls.authority.certificate
        async with asyncio.timeout(120):
            for service in (secured.ingest, secured.screener):
                wanted = serial_of(folder / f"{service.process.name}.pem")
                while not sending.done() and (
                    await served_serial(service.ports.grpc, trusted, client) != wanted
                ):
                    await asyncio.sleep(0.05)
    over.set()
    await sending
    assert sent > 0
