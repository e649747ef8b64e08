"""The HTTP port of a service that runs as several processes: each is asked, over its socket."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

import aiohttp
import orjson
from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from pipeline.auth import METADATA_KEYS
from pipeline.processes.merged import merged
from pipeline.processes.place import Place
from pipeline.web import listen

_TIMEOUT = aiohttp.ClientTimeout(total=2.0)
_TOLD = ("Content-Type", "WWW-Authenticate")
_CREDENTIALS = frozenset({"authorization", *METADATA_KEYS})


class Answer(NamedTuple):
    """What one process says."""

    status: int
    body: bytes
    headers: Mapping[str, str]


NO_ANSWER = Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"{}", {"Content-Type": "application/json"})


class Answers:
    """Answers for all: alive and ready is the service when all of its processes are.

    It has no keys. Where a route wants one, the processes look at the caller's and answer.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        self.draining = False

    async def start(self, *, host: str, port: int, ssl_context: ssl.SSLContext | None) -> web.AppRunner:
        """Listens; `cleanup()` on the answer ends it.

        Raises:
            StartupFailed: the port is in use.
        """
        app = web.Application(client_max_size=0)
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/ready", self._ready),
                web.get("/metrics", self._metrics),
                web.get("/{other:.*}", self._other),
            ]
        )
        return await listen(app, host=host, port=port, ssl_context=ssl_context)

    async def _health(self, request: web.Request) -> web.Response:
        answers = await self._ask_all(request)
        alive = {part: answer.status == HTTPStatus.OK for part, answer in answers.items()}
        body = {"status": "alive" if all(alive.values()) else "not alive", "parts": alive}
        return web.json_response(body, status=200 if all(alive.values()) else 503)

    async def _ready(self, request: web.Request) -> web.Response:
        answers = await self._ask_all(request)
        ready = not self.draining and all(answer.status == HTTPStatus.OK for answer in answers.values())
        parts = {
            f"{part} {name}": there
            for part, answer in answers.items()
            for name, there in orjson.loads(answer.body).get("parts", {"process": False}).items()
        }
        body = {"status": "ready" if ready else "not ready", "parts": parts}
        return web.json_response(body, status=200 if ready else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        answers = await self._ask_all(request)
        there = {part: answer for part, answer in answers.items() if answer is not NO_ANSWER}
        refused = [answer for answer in there.values() if answer.status != HTTPStatus.OK]
        if refused or not there:
            return _as_it_is(refused[0] if refused else NO_ANSWER)
        body = merged({part: answer.body.decode() for part, answer in there.items()})
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _other(self, request: web.Request) -> web.Response:
        return _as_it_is(await _ask(self._places[-1], request))

    async def _ask_all(self, request: web.Request) -> Mapping[str, Answer]:
        answers = await asyncio.gather(*(_ask(place, request) for place in self._places))
        return {place.part: answer for place, answer in zip(self._places, answers, strict=True)}


async def _ask(place: Place, request: web.Request) -> Answer:
    headers = [(name, value) for name, value in request.headers.items() if name.lower() in _CREDENTIALS]
    connector = aiohttp.UnixConnector(str(place.http_socket))
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session,
            session.get(f"http://{place.part}{request.rel_url.raw_path}", headers=headers) as answer,
        ):
            told = {name: answer.headers[name] for name in _TOLD if name in answer.headers}
            return Answer(answer.status, await answer.read(), told)
    except (aiohttp.ClientError, TimeoutError, OSError):
        return NO_ANSWER


def _as_it_is(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
