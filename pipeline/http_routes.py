"""The routes of the HTTP port, in one place: who may ask, what comes back, and their OpenAPI description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.auth import AnyOf, Scope

READ: AnyOf = frozenset({Scope.READ})


@dataclass(frozen=True, slots=True)
class Route:
    """What a GET of a path gives; `wanted` are scopes of which the key needs one, None for no key at all."""

    path: str
    summary: str
    media_type: str
    answers: Mapping[int, str]
    wanted: AnyOf | None


ROUTES = (
    Route(
        "/health", "Whether the process lives", "application/json", {200: "It does, whatever is away"}, None
    ),
    Route(
        "/ready",
        "Whether the service can work, part by part",
        "application/json",
        {200: "It can", 503: "A part is away, or the service is about to stop"},
        None,
    ),
    Route("/metrics", "The metrics", "text/plain", {200: "In the text format of Prometheus"}, READ),
    Route("/openapi.json", "This description", "application/json", {200: "OpenAPI 3.1"}, READ),
)

_REFUSALS = {401: "No key, or a wrong one", 403: "A key without the scope read"}
_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "api-key"},
}


def openapi(service: str) -> dict[str, object]:
    """The description of the HTTP port of a service, as a JSON object."""
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Seawall {service}", "version": "1"},
        "paths": {route.path: {"get": _operation(route)} for route in ROUTES},
        "components": {"securitySchemes": _KEYS},
    }


def _operation(route: Route) -> dict[str, object]:
    answers = {**route.answers, **({} if route.wanted is None else _REFUSALS)}
    return {
        "summary": route.summary,
        "security": [] if route.wanted is None else [{name: []} for name in _KEYS],
        "responses": {
            str(status): {"description": words, "content": {route.media_type: {}}}
            if status in route.answers
            else {"description": words}
            for status, words in answers.items()
        },
    }
