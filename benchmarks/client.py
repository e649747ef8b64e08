"""A client of a running system that loads it by one way or the other."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Sequence
from typing import Self

import redis.asyncio as aioredis
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc
from seawall.screening.v1 import screening_pb2_grpc

from benchmarks.open_loop import at_rate
from benchmarks.texts import new_text
from benchmarks.turns import Figures, percentile
from pipeline.admission import Admission, AdmissionLimits, Admitted, Candidate, Decision
from pipeline.channel import open_channel
from pipeline.event import Event, EventType, Platform
from pipeline.fingerprint import Digests
from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from pipeline.store import connect
from screener.hand_off import Handed
from screener.source import Entry, RawEvent
from scripts.system.system import System

BATCH = 500
TIMEOUT_S = 60.0
_CALLS_AT_ONCE = 4
_POLL_S = 0.002


class Client:
    """Stubs, a Redis client, and what it takes to load the system by one way or the other."""

    def __init__(self, system: System) -> None:
        self.chance = random.Random(1)  # noqa: S311  # no secret
        self.metadata = (("api-key", system.api_key),)
        self._digests = Digests(system.dedup_secret)
        self._channels = [
            open_channel(address, None) for address in (system.ingest_address, system.screener_address)
        ]
        self.ingest = ingest_pb2_grpc.IngestServiceStub(self._channels[0])
        self.screening = screening_pb2_grpc.ScreeningServiceStub(self._channels[1])
        self.store: aioredis.Redis = connect(system.redis_url, timeout_ms=10_000)

    async def __aenter__(self) -> Self:
        """Nothing is to be opened: channels connect with their first call."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes them."""
        for channel in self._channels:
            await channel.close()
        await self.store.aclose()

    async def latency(
        self, way: HandOff, known: Sequence[str] | None, per_second: float, seconds: float
    ) -> Figures:
        """Ingest with `wait_for_verdict` at a fixed rate, with known texts or, for None, new ones."""
        model_ms: list[float] = []

        async def call(number: int) -> None:
            text = known[number % len(known)] if known else new_text(self.chance)
            answer = await self.ingest.Ingest(
                ingest_pb2.IngestRequest(
                    event=event_of(text).to_proto(),
                    hand_off=int(way),  # type: ignore[arg-type]
                    wait_for_verdict=True,
                ),
                metadata=self.metadata,
                timeout=TIMEOUT_S,
            )
            if not answer.HasField("verdict"):
                raise RuntimeError("no verdict in time")
            model_ms.append(answer.verdict.timings.model_ms)

        times = await at_rate(call, per_second=per_second, seconds=seconds)
        return {
            "p50_ms": 1000 * percentile(times, 0.5),
            "p99_ms": 1000 * percentile(times, 0.99),
            "model_ms": percentile(model_ms, 0.5),
        }

    async def throughput(self, texts: Sequence[str], way: HandOff) -> Figures:
        """From the first call to the last verdict."""
        return {"events_per_second": len(texts) / await self.flood(texts, way)}

    async def flood(self, texts: Sequence[str], way: HandOff) -> float:
        """Sends all in batches, four at a time; seconds until the last verdict."""
        room = asyncio.Semaphore(_CALLS_AT_ONCE)
        began = time.perf_counter()

        async def send(batch: Sequence[str]) -> None:
            events = [event_of(text).to_proto() for text in batch]
            async with room:
                while events:
                    reply = await self.ingest.IngestBatch(
                        ingest_pb2.IngestBatchRequest(events=events, hand_off=int(way)),  # type: ignore[arg-type]
                        metadata=self.metadata,
                        timeout=TIMEOUT_S,
                    )
                    events = [
                        event
                        for event, outcome in zip(events, reply.outcomes, strict=True)
                        if outcome.code != ingest_pb2.OUTCOME_CODE_ACCEPTED
                    ]
                    if events:
                        await asyncio.sleep(0.05)

        await asyncio.gather(*(send(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)))
        while True:
            if not await self.waiting():
                return time.perf_counter() - began
            await asyncio.sleep(_POLL_S)

    async def waiting(self) -> int:
        """Events that have no verdict yet."""
        return int(await self.store.xlen(ONLY.raw)) + int(await self.store.xlen(ONLY.direct))

    async def handed(self, texts: Sequence[str]) -> list[Handed]:
        """Admits events for the direct way, as ingest does; their entries."""
        events = [event_of(text) for text in texts]
        return [
            Handed(RawEvent(Entry(decision.entry_id, event.event_id, event.encode()), event), math.inf)
            for event, decision in zip(events, await self._admit(events, HandOff.DIRECT), strict=True)
        ]

    async def queue(self, events: Sequence[Event]) -> None:
        """Admits events to the queue, as ingest does."""
        decisions = await self._admit(events, HandOff.STREAM)
        if any(decision.admitted is not Admitted.ACCEPTED for decision in decisions):
            raise RuntimeError("an event was not admitted")

    async def _admit(self, events: Sequence[Event], way: HandOff) -> list[Decision]:
        limits = AdmissionLimits(
            max_depth=10**6, max_unread=10**6, window_ms=60_000, duplicate_ms=60_000, max_direct=10**6
        )
        admission = Admission(self.store, ONLY, limits)
        decisions: list[Decision] = []
        for at in range(0, len(events), BATCH):
            candidates = [_candidate(event, self._digests, way) for event in events[at : at + BATCH]]
            decisions += (await admission.admit(candidates)).decisions
        return decisions


def event_of(text: str) -> Event:
    """An event that is nobody's duplicate: its author is new."""
    number = random.getrandbits(64)
    return Event(
        event_id=f"bench-{number:016x}",
        event_type=EventType.MESSAGE_CREATED,
        platform=Platform.WEB_CHAT,
        channel_id="bench",
        author_id=f"author-{number:016x}",
        content=text,
    )


def _candidate(event: Event, digests: Digests, way: HandOff) -> Candidate:
    return Candidate(
        event.event_id,
        digests.fingerprint(event.platform, event.author_id, event.content),
        Platform(event.platform).label,
        event.encode(),
        way,
    )
