"""A real Redis over TLS: who is let in, and that changed certificates are taken up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis.asyncio as aioredis

from pipeline.errors import StoreUnavailable
from pipeline.store import connect, store_ready
from pipeline.tls import CertificateFiles, CertificatesInForce
from scripts.system.certificates import Authority, Pair, development_set
from scripts.system.ports import Ports
from scripts.system.redis import RedisAccess, RedisServer

pytestmark = pytest.mark.tls_redis


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return development_set(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    running = RedisServer(
        port=Ports().take(name="Redis"),
        folder=tmp_path_factory.mktemp("redis"),
        access=RedisAccess.made_up(authority),
    )
    running.start()
    try:
        running.wait_ready()
        yield running
    finally:
        running.stop()


def files(trusted: Authority, pair: Pair | None) -> CertificateFiles:
    return CertificateFiles(
        "REDIS", pair.certificate if pair else None, pair.key if pair else None, trusted.certificate
    )


def client_of(server: RedisServer, in_force: CertificatesInForce | None, **options: int) -> aioredis.Redis:
    return connect(server.url_of("ingest"), timeout_ms=5_000, certificates=in_force, **options)


@pytest.fixture
async def store(server: RedisServer, authority: Authority) -> AsyncIterator[aioredis.Redis]:
    in_force = CertificatesInForce(files(authority, authority.pair_of("client")))
    async with client_of(server, in_force) as client:
        yield client


async def test_with_a_certificate_and_a_password_it_answers(store: aioredis.Redis) -> None:
    assert all(await asyncio.gather(*(store_ready(store) for _ in range(20))))


async def test_strangers_are_refused(server: RedisServer, authority: Authority, tmp_path: Path) -> None:
    theirs = Authority(tmp_path)
    own = authority.pair_of("client")
    strangers = [
        CertificatesInForce(files(authority, None)),
        CertificatesInForce(files(authority, theirs.issue("client"))),
        CertificatesInForce(files(theirs, own)),  # who does not trust Redis
        None,  # who trusts the system's authorities alone
    ]
    late = CertificatesInForce(files(authority, authority.issue("late", lasts=timedelta(hours=1))))
    authority.issue("late", ended=timedelta(minutes=1))
    late.reload()
    assert late.failures == 1  # and so it goes on with the one that holds
    for stranger in strangers:
        async with client_of(server, stranger) as client:
            with pytest.raises(StoreUnavailable):
                await store_ready(client)
    async with client_of(server, late) as client:
        assert await store_ready(client)


async def test_an_expired_certificate_is_refused_by_redis(server: RedisServer, authority: Authority) -> None:
    pair = authority.issue("expired", lasts=timedelta(seconds=2))
    in_force = CertificatesInForce(files(authority, pair))
    async with client_of(server, in_force, max_connections=1) as client:
        while (left := in_force.seconds_left) is not None and left > 0:
            await asyncio.sleep(0.1)
        with pytest.raises(StoreUnavailable):
            await store_ready(client)


async def test_a_name_that_is_not_the_certificates_is_refused(
    server: RedisServer, authority: Authority
) -> None:
    in_force = CertificatesInForce(files(authority, authority.pair_of("client")))
    url = server.url_of("ingest").replace("@127.0.0.1:", "@0.0.0.0:")  # which leads here all the same
    async with connect(url, timeout_ms=5_000, certificates=in_force) as client:
        with pytest.raises(StoreUnavailable) as refused:
            await store_ready(client)
    assert "CERTIFICATE_VERIFY_FAILED" in str(refused.value.__cause__)


async def test_new_connections_take_up_changed_certificates(
    server: RedisServer, authority: Authority, tmp_path: Path
) -> None:
    theirs = Authority(tmp_path)
    pair = authority.issue("ingest")
    in_force = CertificatesInForce(files(authority, pair))
    async with client_of(server, in_force, max_connections=1) as client:
        assert await store_ready(client)
        # One that Redis does not take shows that it is this one that is used.
        stranger = theirs.issue("ingest")
        stranger.certificate.replace(pair.certificate)
        stranger.key.replace(pair.key)
        in_force.reload()
        assert await store_ready(client)  # the connection that stands lives on
        await client.connection_pool.disconnect()
        with pytest.raises(StoreUnavailable):
            await store_ready(client)
        authority.issue("ingest")
        in_force.reload()
        assert await store_ready(client)
