"""`seawall bench overload`: ten times what the screening can do is offered, while the queue is full.

One system with a small queue, so that it fills at once, and clients of which one offers half of all:

- the capacity: how many events with new texts get their verdicts in a second;
- half load: single calls of Ingest at half of that, with a queue that stays empty;
- overload: the queue is filled, then single calls at ten times the capacity, for as long;
- the drain: until the last accepted event has its verdict, and how many each of them has.

The memory of both services is looked at from the filling to the end of the overload.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from seawall.ingest.v1 import ingest_pb2

from benchmarks.client import BATCH, TIMEOUT_S, Client, event_of
from benchmarks.memory import peaks
from benchmarks.offer import OfferingClient, offer
from benchmarks.texts import new_text
from benchmarks.turns import Figures
from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from scripts.chaos.end_state import read_end_state
from scripts.system.system import System

CLIENTS = 4
QUEUE_EVENTS = 1_000
"""Where ingest refuses further events."""

SETTINGS = {"MAX_QUEUE_DEPTH": str(QUEUE_EVENTS * 10 // 8)}  # events are refused from 80 % of it on
OVERLOAD = 10
MOST_MB: Mapping[str, float] = {"ingest": 512.0, "screener": 2_000.0}
MOST_REFUSAL_MS = 50.0
MOST_TIMES_SLOWER = 2.0
_DRAIN_S = 600.0


@dataclass(frozen=True, slots=True)
class OverloadFigures:
    """What was measured.

    Attributes:
        capacity: events a second that get their verdicts.
        half: of the calls at half load (`Told.figures`).
        overload: of those at ten times the capacity.
        shares: of each client, how much of what it offered in the overload was accepted.
        peak_mb: most memory of each service.
        drain_s: from the last call to the last verdict.
        without_delay: refusals that did not say when to come again.
        lost: accepted events without a verdict.
        doubled: events with more than one.
        unasked: verdicts of events that nobody was told are accepted.
    """

    capacity: float
    half: Figures
    overload: Figures
    shares: Mapping[str, float]
    peak_mb: Mapping[str, float]
    drain_s: float
    without_delay: int
    lost: int
    doubled: int
    unasked: int

    @property
    def times_slower(self) -> float:
        """The p99 of accepted calls in the overload against that at half load."""
        return self.overload["accepted_p99_ms"] / self.half["accepted_p99_ms"]

    def broken(self) -> list[str]:
        """Promises that were broken, those about time apart: how fast is the machine's business."""
        found = [
            f"{name} held {self.peak_mb[name]:.0f} MB (at most {most:.0f})"
            for name, most in MOST_MB.items()
            if self.peak_mb[name] >= most
        ]
        counts = {
            "refusals without a delay": self.without_delay,
            "calls with another status": self.half["failed"] + self.overload["failed"],
            "accepted events without a verdict": self.lost,
            "events with more than one verdict": self.doubled,
            "verdicts of events that were refused": self.unasked,
        }
        return found + [f"{what}: {count:.0f}" for what, count in counts.items() if count]


async def measure(system: System, seconds: float) -> OverloadFigures:
    """Measures a system that was made with `SETTINGS` and `CLIENTS` keys.

    Raises:
        grpc.aio.AioRpcError: a call failed before there was any overload.
        TimeoutError: the queue did not drain.
    """
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Client(system))
        clients = [
            OfferingClient(f"client {number}", system.ingest_address, key, seed=number)
            for number, key in enumerate(system.api_keys, start=1)
        ]
        for each in clients:
            stack.push_async_callback(each.close)
        warm, fresh = ([new_text(client.chance) for _ in range(BATCH)] for _ in range(2))
        await client.flood(warm, HandOff.STREAM)
        capacity = len(fresh) / await client.flood(fresh, HandOff.STREAM)
        # The first client makes every second call.
        turns = [each for other in clients[1:] for each in (clients[0], other)]
        half = await offer(turns, per_second=capacity / 2, seconds=seconds)
        await _until_drained(client)
        services = {"ingest": system.ingest.process.pid, "screener": system.screener.process.pid}
        async with peaks(services) as peak_mb:
            filled = await _fill(client)
            overload = await offer(turns, per_second=OVERLOAD * capacity, seconds=seconds)
        began = time.perf_counter()
        await _until_drained(client)
        drain_s = time.perf_counter() - began
        accepted = {*half.ids, *filled, *overload.ids}
        verdicts = (await read_end_state(client.store, ONLY, [])).verdicts
        return OverloadFigures(
            capacity=capacity,
            half=half.figures(),
            overload=overload.figures(),
            shares={name: overload.taken[name] / sent for name, sent in sorted(overload.sent.items())},
            peak_mb=peak_mb,
            drain_s=drain_s,
            without_delay=half.without_delay + overload.without_delay,
            lost=sum(event_id not in verdicts for event_id in accepted),
            doubled=sum(count > 1 for count in verdicts.values()),
            unasked=len(verdicts.keys() - accepted) - 2 * BATCH,  # those that the capacity was measured with
        )


async def _fill(client: Client) -> list[str]:
    """Sends batches until events are refused; the ids of those that were accepted."""
    filled: list[str] = []
    while True:
        events = [event_of(new_text(client.chance)) for _ in range(BATCH)]
        reply = await client.ingest.IngestBatch(
            ingest_pb2.IngestBatchRequest(events=[event.to_proto() for event in events]),
            metadata=client.metadata,
            timeout=TIMEOUT_S,
        )
        codes = [outcome.code for outcome in reply.outcomes]
        filled += [
            event.event_id
            for event, code in zip(events, codes, strict=True)
            if code == ingest_pb2.OUTCOME_CODE_ACCEPTED
        ]
        if ingest_pb2.OUTCOME_CODE_RETRY_LATER in codes:
            return filled


async def _until_drained(client: Client) -> None:
    async with asyncio.timeout(_DRAIN_S):
        while True:
            if not await client.waiting():
                return
            await asyncio.sleep(0.05)
