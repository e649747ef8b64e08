"""The health check of the containers, as the images call it."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from pipeline.auth import ApiKeys
from pipeline.readiness import Readiness
from pipeline.tls import CertificatesInForce, server_context
from pipeline.web import start_web
from scripts.system.certificates import Authority, Pair
from scripts.system.ports import HOST, Ports
from tests.fixtures.authority import issue_server, server_files
from tests.pipeline.guarded import KEY


async def status_of(port: int, own: Pair | None = None) -> int:
    tls = {"TLS_CERT_PATH": str(own.certificate), "TLS_KEY_PATH": str(own.key)} if own else {}
    asked = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pipeline.alive", "INGEST_HTTP_PORT", "1"),
        env={**os.environ, **tls, "INGEST_HTTP_PORT": str(port)},
    )
    return await asked.wait()


@pytest.mark.parametrize("tls", [False, True])
async def test_a_service_that_lives_passes_whatever_it_speaks(tmp_path: Path, tls: bool) -> None:
    authority, port = Authority(tmp_path), Ports().take(name="web")
    pair = issue_server(authority)
    in_force = CertificatesInForce(server_files(pair, authority.certificate))
    web = await start_web(
        host=HOST,
        port=port,
        service="test",
        keys=ApiKeys([KEY]),
        readiness=Readiness({}, timeout_s=1),
        registry=CollectorRegistry(),
        ssl_context=server_context(in_force) if tls else None,
    )
    assert await status_of(port, pair if tls else None) == 0
    await web.cleanup()
    assert await status_of(port, pair if tls else None) == 1
