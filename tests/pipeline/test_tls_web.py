"""The HTTP port over TLS: who is let in, and what happens when its certificates change."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
import uvloop
from prometheus_client import CollectorRegistry

from pipeline.auth import ApiKeys
from pipeline.readiness import Readiness
from pipeline.tls import CertificatesInForce, server_context
from pipeline.web import start_web
from scripts.system.certificates import Authority
from scripts.system.ports import HOST, Ports
from tests.fixtures.authority import context, issue_server, serial_of, served_serial, server_files
from tests.pipeline.guarded import KEY

ROUTES = ("/health", "/ready", "/metrics")


@dataclass
class Secured:
    port: int
    ours: Authority
    theirs: Authority
    in_force: CertificatesInForce

    async def status(self, path: str, own: ssl.SSLContext) -> int:
        """Of one request on a connection of its own."""
        async with (
            aiohttp.ClientSession(headers={"api-key": KEY}) as session,
            session.get(f"https://{HOST}:{self.port}{path}", ssl=own) as response,
        ):
            return response.status


@asynccontextmanager
async def secured(tmp_path: Path) -> AsyncIterator[Secured]:
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    in_force = CertificatesInForce(server_files(issue_server(ours), ours.certificate))
    port = Ports().take(name="web")
    runner = await start_web(
        host=HOST,
        port=port,
        service="seawall.test.v1.Nothing",
        keys=ApiKeys([KEY]),
        readiness=Readiness({}, timeout_s=1),
        registry=CollectorRegistry(),
        ssl_context=server_context(in_force),
    )
    yield Secured(port, ours, theirs, in_force)
    await runner.cleanup()


async def everybody_is_told(tmp_path: Path) -> None:
    async with secured(tmp_path) as web:
        ours = context(web.ours.certificate, web.ours.issue("client"))
        for path in ROUTES:
            assert await web.status(path, ours) == 200
        strangers = (
            context(web.ours.certificate),
            context(web.ours.certificate, web.theirs.issue("client")),
            context(web.ours.certificate, web.ours.issue("late", ended=timedelta(minutes=1))),
            context(web.theirs.certificate, web.ours.issue("client")),  # who does not trust us
        )
        for stranger in strangers:
            for path in ROUTES:
                with pytest.raises((aiohttp.ClientError, OSError)):
                    await web.status(path, stranger)


async def changes_are_taken_up(tmp_path: Path) -> None:
    async with secured(tmp_path) as web:
        pair = web.ours.issue("client")
        for _ in range(2):
            fresh = issue_server(web.ours)
            web.in_force.reload()
            served = await served_serial(web.port, web.ours.certificate, pair)
            assert served == serial_of(fresh.certificate)
        # Who was let in before, with a session to resume, is asked again after a change of the authority.
        ours = context(web.ours.certificate, pair)
        assert await web.status("/health", ours) == 200
        web.ours.certificate.write_bytes(web.theirs.certificate.read_bytes())
        web.in_force.reload()
        with pytest.raises((aiohttp.ClientError, OSError)):
            await web.status("/health", ours)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("story", [everybody_is_told, changes_are_taken_up])
async def test_on_the_loop_of_the_tests_and_on_that_of_the_services(
    tmp_path: Path, run: Callable[..., None], story: Callable[[Path], object]
) -> None:
    await asyncio.to_thread(run, story(tmp_path))
