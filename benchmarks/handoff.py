"""`seawall bench handoff`: the queue and the direct way side by side, in one system, at the same rate.

- latency: from the call of Ingest to the verdict in its answer, at half of the rate that the model allows,
  with texts that the cache holds and with new ones;
- throughput: events with known texts, in batches of 500, until the last one has its verdict; a worker each;
- added cost of the stream: what an event costs more through ScreenStream than in this process, by the same
  core and the same publication.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import cast

from seawall.screening.v1 import screening_pb2

from benchmarks.client import BATCH, TIMEOUT_S, Client
from benchmarks.in_process import in_process_hand_offs
from benchmarks.texts import known_texts, new_text
from benchmarks.turns import Figures, Series, in_turns
from pipeline.hand_off import HandOff
from screener.hand_off import Handed, Published
from scripts.system.system import System

Round = Callable[[], Awaitable[Figures]]

HANDED_AT_ONCE = 100
KNOWN_TEXTS = 500


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    rounds: int
    seconds: float
    """Of load at a fixed rate, in each round and for each contestant."""
    events: int
    """Of a round of throughput, and of the stream's cost."""


@dataclass(frozen=True, slots=True)
class HandOffFigures:
    """What was measured; times in milliseconds, throughput in events a second, cost in microseconds."""

    model_texts_per_second: float
    rate: float
    latency: dict[str, dict[str, Series]]
    """By `<way>, <kind of texts>`: p50_ms, p99_ms, model_ms (median inference)."""
    throughput: dict[str, dict[str, Series]]
    """By way: events_per_second."""
    stream_cost: dict[str, dict[str, Series]]
    """`stream` and `in process`: us_per_event."""


async def measure(system: System, effort: Effort) -> HandOffFigures:
    """Measures a system that runs with the direct way allowed.

    Raises:
        grpc.aio.AioRpcError: a call failed, so there is nothing to measure.
    """
    async with Client(system) as client:
        known = known_texts(KNOWN_TEXTS)
        await client.flood(known, HandOff.STREAM)
        fresh = [new_text(client.chance) for _ in range(BATCH)]
        model_rate = len(fresh) / await client.flood(fresh, HandOff.STREAM)
        rate = model_rate / 2

        def at_half(way: HandOff, *, cached: bool) -> Round:
            return lambda: client.latency(way, known if cached else None, rate, effort.seconds)

        latency = await in_turns(
            {
                f"{way.label}, {'known' if cached else 'new'} texts": at_half(way, cached=cached)
                for cached in (True, False)
                for way in HandOff
            },
            rounds=effort.rounds,
        )
        many = [known[number % len(known)] for number in range(effort.events)]

        def flooded(way: HandOff) -> Round:
            return lambda: client.throughput(many, way)

        throughput = await in_turns({way.label: flooded(way) for way in HandOff}, rounds=effort.rounds)
        cost = await _stream_cost(client, system, many, effort.rounds)
    return HandOffFigures(model_rate, rate, latency, throughput, cost)


async def _stream_cost(
    client: Client, system: System, texts: Sequence[str], rounds: int
) -> dict[str, dict[str, Series]]:
    async with in_process_hand_offs(system) as hand_offs:

        async def here() -> Figures:
            handed = await client.handed(texts)
            began = time.perf_counter()
            for at in range(0, len(handed), HANDED_AT_ONCE):
                outcomes = await hand_offs.take(handed[at : at + HANDED_AT_ONCE])
                if not all(isinstance(outcome, Published) for outcome in outcomes):
                    raise RuntimeError("an event was not published")
            return {"us_per_event": 1e6 * (time.perf_counter() - began) / len(handed)}

        async def streamed() -> Figures:
            handed = await client.handed(texts)
            stream = client.screening.ScreenStream(metadata=client.metadata, timeout=TIMEOUT_S)
            await stream.wait_for_connection()
            began = time.perf_counter()
            for at in range(0, len(handed), HANDED_AT_ONCE):
                part = handed[at : at + HANDED_AT_ONCE]
                await stream.write(
                    screening_pb2.ScreenStreamRequest(admitted=[_admitted(one) for one in part])
                )
                open_results = len(part)
                while open_results:
                    answer = cast("screening_pb2.ScreenStreamResponse", await stream.read())
                    if not all(result.HasField("verdict") for result in answer.admitted_results):
                        raise RuntimeError("an event was not published")
                    open_results -= len(answer.admitted_results)
            taken = time.perf_counter() - began
            await stream.done_writing()
            return {"us_per_event": 1e6 * taken / len(handed)}

        return await in_turns({"stream": streamed, "in process": here}, rounds=rounds)


def _admitted(handed: Handed) -> screening_pb2.AdmittedEvent:
    return screening_pb2.AdmittedEvent(entry_id=handed.raw.entry.entry_id, event=handed.raw.entry.payload)
