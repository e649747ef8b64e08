"""Ingestion as it would be written first: FastAPI, a SHA-256 and SET NX and XADD for each event.

`python -m benchmarks.baseline.ingest_app`, with PORT and REDIS_URL. It is meant to be good at what it does:
uvicorn with uvloop and httptools, orjson, a pool of connections to Redis, pipelines for batches, no access
log, one worker. It leaves out what ingest adds: keys, quotas, most of the validation, a bound on the queue,
metrics, and one step for key and entry, so that a crash between them loses an event that its key calls known.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

import orjson
import redis.asyncio as aioredis
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response

STREAM = "baseline:events"
_WINDOW_S = 3_600
_MOST_CHARS = 10_000


def build(store: aioredis.Redis) -> FastAPI:
    """The application, on a client of Redis."""
    app = FastAPI()

    @app.get("/ready")
    async def ready() -> Response:
        await store.ping()
        return Response()

    @app.post("/events")
    async def one(request: Request) -> Response:
        event = _checked(orjson.loads(await request.body()))
        is_new = await store.set(_key_of(event), event["event_id"], nx=True, ex=_WINDOW_S)
        if is_new:
            await store.xadd(STREAM, {"event": orjson.dumps(event)})
        return _answer({"status": "accepted" if is_new else "duplicate"})

    @app.post("/events/batch")
    async def many(request: Request) -> Response:
        events = [_checked(event) for event in orjson.loads(await request.body())]
        async with store.pipeline(transaction=False) as keys:
            for event in events:
                keys.set(_key_of(event), event["event_id"], nx=True, ex=_WINDOW_S)
            are_new = await keys.execute()
        async with store.pipeline(transaction=False) as entries:
            for event, is_new in zip(events, are_new, strict=True):
                if is_new:
                    entries.xadd(STREAM, {"event": orjson.dumps(event)})
            await entries.execute()
        return _answer([{"status": "accepted" if is_new else "duplicate"} for is_new in are_new])

    return app


def _checked(event: dict[str, Any]) -> dict[str, Any]:
    if not (event.get("event_id") and event.get("author_id") and event.get("platform")):
        raise HTTPException(422, "event_id, author_id and platform are required")
    if not 1 <= len(event.get("content", "")) <= _MOST_CHARS:
        raise HTTPException(422, f"content has 1 to {_MOST_CHARS} characters")
    return event


def _key_of(event: dict[str, Any]) -> str:
    said = f"{event['platform']}\0{event['author_id']}\0{event['content']}"
    return f"dedup:{hashlib.sha256(said.encode()).hexdigest()}"


def _answer(content: object) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(
        build(aioredis.Redis.from_url(os.environ["REDIS_URL"], max_connections=64)),
        host=os.environ.get("BIND_HOST", "127.0.0.1"),
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
