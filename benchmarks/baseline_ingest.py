"""`seawall bench baseline-ingest`: ingest beside the obvious design (`benchmarks/baseline/ingest_app.py`).

Single events and batches of 100 and 500, each of them new, on one Redis in turns. Both are called by a C
program of `benchmarks/replay`, with as many requests at once: so what is compared is what the servers can do,
beside a load that takes next to nothing of their cores. HTTP/1.1 takes a connection for each request under
way, gRPC shares a few.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import orjson
from seawall.events.v1 import events_pb2

from benchmarks.baseline.ingest_app import STREAM
from benchmarks.event_load import batch_requests, new_events, single_requests
from benchmarks.ingest_doors import Doors, doors
from benchmarks.prepared import Replayed, replay, replay_calls, write_calls, write_requests
from benchmarks.processor import processor_s
from benchmarks.result import Effort, Line, Result, Wanted
from benchmarks.turns import Figures, Series, in_turns
from pipeline.event import EventType, Platform
from pipeline.keys import ONLY
from scripts.system.ports import HOST, Ports
from scripts.system.services import Service, ServicePorts

AGAINST = "FastAPI"
_WANTED = {1: 1.5, 100: 5.0, 500: 5.0}
_EVENTS = {1: 2_000, 100: 20_000, 500: 20_000}
"""For each second of load."""
_BRIEF_EVENTS = 1_000
_AT_ONCE = {1: 48, 100: 20, 500: 4}
_CONNECTIONS = 4
"""To ingest, as with ghz elsewhere."""


async def measure(effort: Effort) -> Result:
    """Measures.

    Raises:
        RuntimeError: a call failed, or accepted events are not in the queue.
    """
    lines: list[Line] = []
    async with doors() as found, _baseline(found) as baseline:
        for size, times in _WANTED.items():
            count = _BRIEF_EVENTS if effort.brief else int(_EVENTS[size] * effort.seconds)
            measured = await _measured(found, baseline, new_events(count), size, effort)
            name = f"{size} an RPC" if size > 1 else "single calls"
            for figure, about, wanted in (
                ("events_per_second", "events/s", (Wanted(least=times, of_ratio=True),)),
                ("p99_ms", "p99 at full load, ms", ()),
                ("processor_us", "processor time of an event, µs", ()),
            ):
                ours, limit = measured["ingest"][figure], measured["baseline"][figure]
                lines.append(Line(f"{name}, {about}", ours, limit, AGAINST, wanted))
    return Result("baseline-ingest", tuple(lines))


async def _measured(
    found: Doors, baseline: Service, events: Sequence[events_pb2.Event], size: int, effort: Effort
) -> dict[str, dict[str, Series]]:
    ours, theirs = found.folder / f"ours-{size}", found.folder / f"theirs-{size}"
    call = found.ingest.call("Ingest" if size == 1 else "IngestBatch")
    messages = single_requests(events) if size == 1 else batch_requests(events, size)
    write_calls(ours, call, list(messages))
    write_requests(theirs, list(http_requests(events, size)))
    at_once, ingest = _AT_ONCE[size], found.ingest.service

    async def load_ours() -> Replayed:
        return await replay_calls(
            ingest.ports.grpc, ours, connections=_CONNECTIONS, window=at_once // _CONNECTIONS
        )

    async def load_theirs() -> Replayed:
        return await replay("http", baseline.ports.http, theirs, connections=at_once, window=1)

    return await in_turns(
        {
            "ingest": lambda: _turn(found, ingest, ONLY.raw, len(events), load_ours),
            "baseline": lambda: _turn(found, baseline, STREAM, len(events), load_theirs),
        },
        rounds=effort.rounds,
    )


async def _turn(
    found: Doors, service: Service, stream: str, events: int, load: Callable[[], Awaitable[Replayed]]
) -> Figures:
    await found.store.flushdb()
    before_s = processor_s(service.process.pid)
    done = await load()
    processor = processor_s(service.process.pid) - before_s
    if (queued := await found.store.xlen(stream)) != events:
        raise RuntimeError(f"{service.process.name}: {events} events sent, {queued} in its stream")
    return {
        "events_per_second": events / done.seconds,
        "p99_ms": done.p99_ms,
        "processor_us": 1e6 * processor / events,
    }


def http_requests(events: Sequence[events_pb2.Event], size: int) -> Iterator[bytes]:
    """The events as requests of the baseline."""
    for at in range(0, len(events), size):
        batch = [_as_json(event) for event in events[at : at + size]]
        body = orjson.dumps(batch if size > 1 else batch[0])
        path = "/events/batch" if size > 1 else "/events"
        head = f"POST {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: application/json\r\n"
        yield f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def _as_json(event: events_pb2.Event) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "event_type": EventType(event.event_type).label,
        "platform": Platform(event.platform).label,
        "channel_id": event.channel_id,
        "author_id": event.author_id,
        "content": event.content,
        "created_at": event.created_at.ToJsonString(),
        "metadata": {"author_reputation": event.metadata.author_reputation},
    }


@asynccontextmanager
async def _baseline(found: Doors) -> AsyncIterator[Service]:
    ports = Ports()
    http = ports.take(name="baseline")
    service = Service(
        "benchmarks.baseline.ingest_app",
        ports=ServicePorts(ports.take(name="baseline"), http),
        settings={"PORT": str(http), "REDIS_URL": f"redis://{HOST}:{found.redis_port}/0"},
        folder=found.folder,
    )
    service.start()
    try:
        service.wait_ready()
        yield service
    finally:
        service.stop()
