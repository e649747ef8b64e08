"""The small HTTP port: the routes of `pipeline.http_routes`, and the keys in front of them."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from pipeline.auth import METADATA_KEYS, ApiKeys
from pipeline.errors import Forbidden, StartupFailed, Unauthenticated
from pipeline.http_routes import READ, ROUTES, openapi
from pipeline.readiness import Readiness


async def start_web(
    *,
    host: str,
    port: int,
    service: str,
    keys: ApiKeys,
    readiness: Readiness,
    registry: CollectorRegistry,
    ssl_context: ssl.SSLContext | None = None,
    socket: Path | None = None,
) -> web.AppRunner:
    """Listens on `host:port`, over TLS where there is a context for it; `cleanup()` on the answer ends it.

    Or on `socket` alone, a path, where there is one.

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

    async def description(_request: web.Request) -> web.Response:
        return web.json_response(openapi(service))

    answer = {"/health": health, "/ready": ready, "/metrics": metrics, "/openapi.json": description}
    app = web.Application(client_max_size=0, middlewares=[_guard(keys)])
    app.add_routes([web.get(route.path, answer[route.path]) for route in ROUTES])
    return await listen(app, host=host, port=port, ssl_context=ssl_context, socket=socket)


async def listen(
    app: web.Application,
    *,
    host: str,
    port: int,
    ssl_context: ssl.SSLContext | None = None,
    socket: Path | None = None,
) -> web.AppRunner:
    """Serves an application as `start_web` serves its own; errors as there."""
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site: web.BaseSite = (
        web.UnixSite(runner, socket)
        if socket is not None
        else web.TCPSite(runner, host, port, ssl_context=ssl_context)
    )
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise StartupFailed(
            f"HTTP port {port} on {host} cannot be opened ({error.strerror}); choose another"
        ) from None
    return runner


def _guard(keys: ApiKeys) -> Middleware:
    """Lets a request through to an open route, or with a key for the route; also to one that is not there."""
    wanted = {route.path: route.wanted for route in ROUTES}

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        scopes = wanted.get(request.path, READ)
        if scopes is None:
            return await handler(request)
        try:
            keys.enter(
                _credentials(request),
                scopes,
                door="http",
                at=request.path if request.path in wanted else "other",
            )
        except Unauthenticated as error:
            return web.json_response(
                {"error": str(error)}, status=401, headers={"WWW-Authenticate": 'Bearer realm="seawall"'}
            )
        except Forbidden as error:
            return web.json_response({"error": str(error), "scope": error.scope}, status=403)
        return await handler(request)

    return guard


def _credentials(request: web.Request) -> list[tuple[str, str]]:
    """The key of a request, as a call of gRPC carries it."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return [("api-key", token.strip())]
    return [(name, value) for name in METADATA_KEYS if (value := request.headers.get(name)) is not None]


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a line tells of more than bytes that are no HTTP: any caller could fill the log with those."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
