"""`seawall bench persistence`: `appendfsync always` and `everysec` in turns, on one Redis behind one ingest.

- throughput: batches of 100 events, eight under way at a time;
- admission: single events at a fixed rate, the time until ACCEPTED;
- after `kill -9` of Redis: how many events that were told ACCEPTED are not there when it is back.

A killed process loses nothing that it has handed to the kernel, with either; only a machine that loses its
power tells them apart, which no benchmark does. With `everysec` that would lose what came since the last
fsync: up to a second of events, two where the disk is busy.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import redis.asyncio as aioredis
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc

from benchmarks.open_loop import at_rate
from benchmarks.turns import Figures, Series, in_turns, percentile
from pipeline.channel import open_channel
from pipeline.event import Event, EventType, Platform
from pipeline.keys import ONLY
from pipeline.store import connect
from scripts.system.system import Part, System

POLICIES = ("always", "everysec")
PARTS = frozenset({Part.REDIS, Part.INGEST})
SETTINGS = {"MAX_QUEUE_DEPTH": "10000000"}
"""Nobody screens here: the queue is to take it all."""

_BATCH = 100
_BATCHES_AT_ONCE = 8
_TIMEOUT_S = 60.0
_ACCEPTED = ingest_pb2.OUTCOME_CODE_ACCEPTED


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured, in each round and for each policy."""

    rounds: int
    events: int
    per_second: float
    seconds: float


@dataclass(frozen=True, slots=True)
class PersistenceFigures:
    """By policy: events_per_second, p50_ms and p99_ms of admission; and the events lost to `kill -9`."""

    admission: dict[str, dict[str, Series]]
    lost_to_kill: dict[str, int]
    accepted_before_kill: dict[str, int]


async def measure(system: System, effort: Effort) -> PersistenceFigures:
    """Measures a system of `PARTS` that keeps its data on the disk in question.

    Raises:
        grpc.aio.AioRpcError: a call failed, so there is nothing to measure.
    """
    async with _Client(system) as client:

        def round_with(policy: str) -> Callable[[], Awaitable[Figures]]:
            async def measured() -> Figures:
                await client.begin(policy)
                rate = effort.events / await client.flood(effort.events)
                took = await at_rate(client.one, per_second=effort.per_second, seconds=effort.seconds)
                return {
                    "events_per_second": rate,
                    "p50_ms": 1000 * percentile(took, 0.5),
                    "p99_ms": 1000 * percentile(took, 0.99),
                }

            return measured

        admission = await in_turns({policy: round_with(policy) for policy in POLICIES}, rounds=effort.rounds)
        accepted, lost = {}, {}
        for policy in POLICIES:
            await client.begin(policy)
            accepted[policy], lost[policy] = await _killed(system, client, effort.events)
        return PersistenceFigures(admission, lost, accepted)


async def _killed(system: System, client: _Client, events: int) -> tuple[int, int]:
    """Events that were told ACCEPTED until Redis was killed, and how many of them are gone."""
    flooding = asyncio.create_task(client.flood(10 * events))
    while len(client.accepted) < events:
        if flooding.done():
            flooding.result()  # raises what ended it
        await asyncio.sleep(0.001)
    system.redis.process.kill()
    await asyncio.gather(flooding, return_exceptions=True)
    system.redis.start()
    await asyncio.to_thread(system.redis.wait_ready)
    there = {fields[b"event_id"].decode() for _, fields in await client.store.xrange(ONLY.raw)}  # type: ignore[union-attr, index]
    return len(client.accepted), len(client.accepted - there)


class _Client:
    """Sends events, each of which is new, and remembers which were told ACCEPTED since `begin`."""

    def __init__(self, system: System) -> None:
        self.accepted: set[str] = set()
        self._numbers = count(1)
        self._system = system
        self._channel = open_channel(system.ingest_address, None)
        self._stub = ingest_pb2_grpc.IngestServiceStub(self._channel)
        self._metadata = (("api-key", system.api_key),)
        self.store: aioredis.Redis = connect(system.redis_url, timeout_ms=10_000)

    async def __aenter__(self) -> Self:
        """Nothing is to be opened: channels connect with their first call."""
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close()
        await self.store.aclose()

    async def begin(self, policy: str) -> None:
        """An empty Redis that writes its file as the policy says."""
        await asyncio.to_thread(self._system.ingest.wait_ready)
        await self.store.flushall()
        await self.store.config_set("appendfsync", policy)
        self.accepted.clear()

    async def flood(self, events: int) -> float:
        """Sends so many, as fast as they are taken; seconds that it took."""
        batches = iter([_BATCH] * (events // _BATCH))

        async def sender() -> None:
            for size in batches:
                await self._send([self._event() for _ in range(size)])

        began = time.perf_counter()
        async with asyncio.TaskGroup() as senders:  # the first call that fails ends them all
            for _ in range(_BATCHES_AT_ONCE):
                senders.create_task(sender())
        return time.perf_counter() - began

    async def one(self, _: int) -> None:
        """Sends one event by a call of its own."""
        request = ingest_pb2.IngestRequest(event=self._event().to_proto())
        await self._stub.Ingest(request, metadata=self._metadata, timeout=_TIMEOUT_S)

    async def _send(self, events: list[Event]) -> None:
        request = ingest_pb2.IngestBatchRequest(events=[event.to_proto() for event in events])
        reply = await self._stub.IngestBatch(request, metadata=self._metadata, timeout=_TIMEOUT_S)
        outcomes = zip(events, reply.outcomes, strict=True)
        self.accepted |= {event.event_id for event, outcome in outcomes if outcome.code == _ACCEPTED}

    def _event(self) -> Event:
        number = next(self._numbers)
        return Event(
            event_id=f"persistence-{number}",
            event_type=EventType.MESSAGE_CREATED,
            platform=Platform.DISCORD,
            author_id=f"author-{number}",
            content=f"see you at the usual place at eight, number {number}",
        )


def run(effort: Effort, folder: Path | None) -> PersistenceFigures:
    """Measures on a system of its own, whose data lie in a new folder below `folder`."""
    with (
        TemporaryDirectory(prefix="seawall-persistence-", dir=folder) as data,
        System(parts=PARTS, data_dir=Path(data), settings=SETTINGS) as system,
    ):
        return asyncio.run(measure(system, effort))
