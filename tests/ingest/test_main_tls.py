"""`python -m ingest` over TLS: certificates that change while clients call, and those that cannot be used."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import redis.asyncio as aioredis
from grpc_health.v1 import health_pb2, health_pb2_grpc
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc

from pipeline.channel import open_channel
from pipeline.errors import StartupFailed
from scripts.system.certificates import LOCAL_HOSTS, Authority, Pair
from scripts.system.ports import Ports
from scripts.system.redis import RedisServer
from scripts.system.services import Service, ServicePorts
from tests.fixtures.authority import context, credentials, issue_server, serial_of, served_serial
from tests.fixtures.digests import DEDUP_SECRET
from tests.pipeline.guarded import KEY


def a_service(folder: Path, redis_url: str, authority: Authority, workers: int = 1) -> Service:
    """An ingest that wants certificates of `authority`, which are in `server.pem`."""
    ports, pair = Ports(), authority.pair_of("server")
    return Service(
        "ingest",
        ports=ServicePorts(ports.take(name="gRPC"), ports.take(name="HTTP")),
        settings={
            "API_KEYS": KEY,
            "DEDUP_SECRET": DEDUP_SECRET,
            "REDIS_URL": redis_url,
            "TLS_CERT_PATH": str(pair.certificate),
            "TLS_KEY_PATH": str(pair.key),
            "TLS_CLIENT_CA_PATH": str(authority.certificate),
            "INGEST_WORKERS": str(workers),
        },
        folder=folder,
        context=context(authority.certificate, authority.issue("client")),
    )


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    authority = Authority(tmp_path / "ours")
    issue_server(authority)
    return authority


@pytest.fixture
def service(
    redis_server: RedisServer, store: aioredis.Redis, ours: Authority, tmp_path: Path
) -> Iterator[Service]:
    service = a_service(tmp_path, redis_server.url, ours)
    service.start()
    try:
        service.wait_ready()
        yield service
    finally:
        service.process.kill()


@dataclass
class Followers:
    """Clients that call on and on, on new connections, by the certificates of now; and one that stays."""

    service: Service
    trusted: Path
    pair: Pair
    calls: int = 0
    _over: bool = False

    async def call(self, channel: grpc.aio.Channel) -> None:
        request = ingest_pb2.GetEventStatusRequest(event_id="nobody-sent-it")
        stub: ingest_pb2_grpc.IngestServiceAsyncStub = ingest_pb2_grpc.IngestServiceStub(channel)
        await stub.GetEventStatus(request, metadata=(("api-key", KEY),), timeout=60)
        self.calls += 1

    def channel(self) -> grpc.aio.Channel:
        return open_channel(self.service.address, credentials(self.trusted, self.pair))

    async def come_and_go(self) -> None:
        while not self._over:
            async with self.channel() as channel:
                await self.call(channel)

    async def stay(self) -> None:
        async with self.channel() as channel:
            while not self._over:
                await self.call(channel)

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """Raises what a call raised."""
        tasks = [
            asyncio.create_task(self.stay()),
            *(asyncio.create_task(self.come_and_go()) for _ in range(3)),
        ]
        try:
            yield
            before = self.calls
            async with asyncio.timeout(60):
                while self.calls < before + 20 and not any(task.done() for task in tasks):
                    await asyncio.sleep(0.01)
        finally:
            self._over = True
            await asyncio.gather(*tasks)


async def until_served(service: Service, certificate: Path, trusted: Path, pair: Pair) -> None:
    """On both ports."""
    wanted = serial_of(certificate)
    async with asyncio.timeout(60):
        for port in (service.ports.grpc, service.ports.http):
            while await served_serial(port, trusted, pair) != wanted:
                await asyncio.sleep(0.05)


async def until_let_in(followers: Followers, pair: Pair) -> None:
    """Until the service knows the authority of this certificate."""
    async with asyncio.timeout(60):
        while True:
            channel = open_channel(followers.service.address, credentials(followers.trusted, pair))
            async with channel:
                try:
                    return await followers.call(channel)
                except grpc.aio.AioRpcError:
                    await asyncio.sleep(0.05)


async def test_certificates_and_then_the_authority_are_changed_under_load_and_no_call_fails(
    service: Service, ours: Authority, tmp_path: Path
) -> None:
    theirs, client = Authority(tmp_path / "theirs"), ours.issue("a-client")
    both, own = tmp_path / "both.pem", ours.certificate.read_bytes()
    both.write_bytes(own + theirs.certificate.read_bytes())
    followers = Followers(service, both, client)
    async with followers.calling():
        for _ in range(2):
            fresh = issue_server(ours)
            await until_served(service, fresh.certificate, both, client)
        # Another authority: first both sides trust either, then each shows a certificate of the other one.
        ours.certificate.write_bytes(both.read_bytes())
        stranger = theirs.issue("a-client")
        await until_let_in(followers, stranger)
        followers.pair = stranger
        fresh = theirs.issue("server", hosts=LOCAL_HOSTS)
        shown = ours.pair_of("server")
        fresh.key.replace(shown.key)
        fresh.certificate.replace(shown.certificate)
        await until_served(service, shown.certificate, both, stranger)
        ours.certificate.write_bytes(theirs.certificate.read_bytes())
        async with asyncio.timeout(60):
            while not await is_refused(followers, client):
                await asyncio.sleep(0.05)
    assert followers.calls >= 20


async def is_refused(followers: Followers, pair: Pair) -> bool:
    async with open_channel(followers.service.address, credentials(followers.trusted, pair)) as channel:
        try:
            await followers.call(channel)
        except grpc.aio.AioRpcError as error:
            return error.code() is grpc.StatusCode.UNAVAILABLE
    return False


async def test_a_change_that_cannot_be_used_is_told_and_the_old_one_is_served(
    service: Service, ours: Authority
) -> None:
    pair, client = ours.pair_of("server"), ours.issue("a-client")
    before = serial_of(pair.certificate)
    pair.key.write_text("this is no key")
    told = 'tls_reload_failures_total{certificate="tls"} 1.0'
    async with asyncio.timeout(60):
        while told not in await asyncio.to_thread(service.metrics):
            await asyncio.sleep(0.1)
    for port in (service.ports.grpc, service.ports.http):
        assert await served_serial(port, ours.certificate, client) == before
    assert "certificates_not_reloaded" in service.process.log.read_text()
    left = re.search(r'tls_certificate_left_seconds{certificate="tls"} (\S+)', service.metrics())
    assert left is not None
    assert 0 < float(left[1]) <= 90 * 86_400


def test_a_certificate_that_has_expired_is_one_line_at_the_start(
    redis_server: RedisServer, ours: Authority, tmp_path: Path
) -> None:
    pair = ours.issue("server", ended=timedelta(days=1))
    service = a_service(tmp_path, redis_server.url, ours)
    service.start()
    told = rf"exit status 1: ingest: TLS_CERT_PATH={pair.certificate} has expired, at "
    try:
        with pytest.raises(StartupFailed, match=told):
            service.wait_ready()
    finally:
        service.process.kill()
    assert len(service.process.log.read_text().splitlines()) == 1


async def test_workers_and_their_parent_take_changed_certificates_up(
    redis_server: RedisServer, store: aioredis.Redis, ours: Authority, tmp_path: Path
) -> None:
    service, client = a_service(tmp_path, redis_server.url, ours, workers=2), ours.issue("a-client")
    service.start()
    try:
        service.wait_ready()  # over HTTPS, which the parent speaks
        followers = Followers(service, ours.certificate, client)
        async with followers.calling():
            fresh = issue_server(ours)
            await until_served(service, fresh.certificate, ours.certificate, client)
        assert 'process="worker-2"' in service.metrics()
    finally:
        service.stop()


async def test_health_too_wants_a_certificate(service: Service, ours: Authority) -> None:
    async with open_channel(service.address, credentials(ours.certificate)) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Check(health_pb2.HealthCheckRequest(), timeout=20)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
