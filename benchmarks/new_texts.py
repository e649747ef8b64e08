"""Events whose texts no cache holds, from their way in to their verdicts in the streams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence

from seawall.ingest.v1 import ingest_pb2

from benchmarks.arrivals import Arrivals
from benchmarks.client import BATCH, TIMEOUT_S, Client, event_of
from benchmarks.open_loop import at_rate
from benchmarks.processor import processor_s
from benchmarks.texts import new_text
from benchmarks.turns import Figures, percentile
from pipeline.event import Event
from pipeline.verdict import Verdict
from scripts.system.system import System

_CALLS_AT_ONCE = 4


class NewTexts:
    """Loads a running system, and sees each event through: none without a verdict, none with two."""

    def __init__(self, system: System, client: Client, arrivals: Arrivals) -> None:
        self._client = client
        self._arrivals = arrivals
        self._processes = {
            "ingest": system.ingest.process.pid,
            "screener": system.screener.process.pid,
            "Triton": system.triton.pid or 0,
            "Redis": system.redis.process.pid,
        }

    async def queued(self, count: int) -> Figures:
        """Straight into the queue: from the first admission to the last verdict."""
        events = self._events(count)
        return await self._timed(self._client.queue(events), events)

    async def ingested(self, count: int) -> Figures:
        """Through IngestBatch, four calls at a time: from the first call to the last verdict."""
        events = self._events(count)
        return await self._timed(self._ingest(events), events)

    async def paced(self, per_second: float, seconds: float) -> Figures:
        """Through Ingest one by one: milliseconds from when each was due to its verdict in the stream.

        Beside the percentiles, what the verdicts say of where the time went, each a median.
        """
        events = self._events(max(1, int(per_second * seconds)))

        async def call(number: int) -> None:
            event = events[number]
            await self._client.ingest.Ingest(
                ingest_pb2.IngestRequest(event=event.to_proto()),
                metadata=self._client.metadata,
                timeout=TIMEOUT_S,
            )
            await self._arrivals.of([event.event_id])

        times = await at_rate(call, per_second=per_second, seconds=seconds)
        verdicts = [Verdict.decode(self._arrivals.payloads[event.event_id]) for event in events]
        return {
            "p50_ms": 1000 * percentile(times, 0.5),
            "p99_ms": 1000 * percentile(times, 0.99),
            "waited_ms": percentile([verdict.timings.queue_ms for verdict in verdicts], 0.5),
            "model_ms": percentile([verdict.timings.model_ms for verdict in verdicts], 0.5),
            "screened_ms": percentile([verdict.timings.total_ms for verdict in verdicts], 0.5),
        }

    def _events(self, count: int) -> list[Event]:
        return [event_of(new_text(self._client.chance)) for _ in range(count)]

    async def _ingest(self, events: Sequence[Event]) -> None:
        room = asyncio.Semaphore(_CALLS_AT_ONCE)

        async def send(batch: Sequence[Event]) -> None:
            request = ingest_pb2.IngestBatchRequest(events=[event.to_proto() for event in batch])
            async with room:
                reply = await self._client.ingest.IngestBatch(
                    request, metadata=self._client.metadata, timeout=TIMEOUT_S
                )
            if any(outcome.code != ingest_pb2.OUTCOME_CODE_ACCEPTED for outcome in reply.outcomes):
                raise RuntimeError("an event was not accepted")

        await asyncio.gather(*(send(events[at : at + BATCH]) for at in range(0, len(events), BATCH)))

    async def _timed(self, sending: Awaitable[object], events: Sequence[Event]) -> Figures:
        before, began = self._processor(), time.perf_counter()
        await sending
        last_s = await self._arrivals.of([event.event_id for event in events])
        used = {part: used_s - before[part] for part, used_s in self._processor().items()}
        return {
            "events_per_second": len(events) / (last_s - began),
            **{f"{part}_ms": 1000 * used_s / len(events) for part, used_s in used.items()},
        }

    def _processor(self) -> Mapping[str, float]:
        return {part: processor_s(pid) for part, pid in self._processes.items()}


def where_it_goes(figures: Mapping[str, float]) -> dict[str, float]:
    """For a result's details: processor by part, in milliseconds an event."""
    return {
        f"processor of {name.removesuffix('_ms')}, ms an event": value
        for name, value in figures.items()
        if name.endswith("_ms")
    }
