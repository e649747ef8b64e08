"""The small HTTP port: /health (the process lives), /ready (it can work), /metrics (Prometheus)."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from pipeline.errors import StartupFailed
from pipeline.readiness import Readiness


async def start_web(
    *, host: str, port: int, readiness: Readiness, registry: CollectorRegistry
) -> web.AppRunner:
    """Listens on `host:port`; `cleanup()` on the answer ends it.

    Raises:
        StartupFailed: the port is in use.
    """

    async def health(_request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def ready(_request: web.Request) -> web.Response:
        body = {"status": "ready" if readiness.ready else "not ready", "parts": dict(readiness.parts)}
        return web.json_response(body, status=200 if readiness.ready else 503)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application(client_max_size=0)
    app.add_routes([web.get("/health", health), web.get("/ready", ready), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise StartupFailed(
            f"HTTP port {port} on {host} cannot be opened ({error.strerror}); choose another"
        ) from None
    return runner
