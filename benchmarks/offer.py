"""Clients that offer single events at a rate, whatever becomes of them, and what they were told."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import grpc
from google.rpc import error_details_pb2
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc

from benchmarks.client import TIMEOUT_S, event_of
from benchmarks.texts import new_text
from benchmarks.turns import Figures, percentile
from pipeline.channel import open_channel
from pipeline.status import details_of


@dataclass(slots=True)
class Told:
    """What clients were told; times in seconds, each from when the call was made.

    Attributes:
        accepted: of calls that were accepted.
        refused: of calls that were refused with RESOURCE_EXHAUSTED.
        without_delay: how many of those did not say when to come again.
        failed: other ends of calls, by status.
        late: how late each call was made; by this much the clients, and not the system, were too slow.
        ids: accepted events.
        sent, taken: calls and accepted calls of each client.
    """

    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    without_delay: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    late: list[float] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)

    def figures(self) -> Figures:
        """Counts, and the times in milliseconds; NaN where there is nothing to tell."""
        return {
            "accepted": len(self.accepted),
            "refused": len(self.refused),
            "failed": self.failed.total(),
            "accepted_p50_ms": 1000 * percentile(self.accepted, 0.5),
            "accepted_p99_ms": 1000 * percentile(self.accepted, 0.99),
            "refused_p50_ms": 1000 * percentile(self.refused, 0.5),
            "refused_p99_ms": 1000 * percentile(self.refused, 0.99),
            "late_p99_ms": 1000 * percentile(self.late, 0.99),
        }


class OfferingClient:
    """A client with a connection and a key of its own."""

    def __init__(self, name: str, address: str, api_key: str, *, seed: int) -> None:
        """Takes its name for the tables; connects with its first call."""
        self.name = name
        self._channel = open_channel(address, None)
        self._ingest = ingest_pb2_grpc.IngestServiceStub(self._channel)
        self._metadata = (("api-key", api_key),)
        self._chance = Random(seed)  # noqa: S311  # no secret

    async def call(self, told: Told) -> None:
        """Sends one event with a new text, once."""
        event = event_of(new_text(self._chance))
        request = ingest_pb2.IngestRequest(event=event.to_proto())
        told.sent[self.name] += 1
        began = time.perf_counter()
        try:
            answer = await self._ingest.Ingest(request, metadata=self._metadata, timeout=TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                told.failed[error.code().name] += 1
                return
            told.refused.append(time.perf_counter() - began)
            told.without_delay += not _says_when(error)
            return
        took = time.perf_counter() - began
        if answer.outcome.code != ingest_pb2.OUTCOME_CODE_ACCEPTED:
            told.failed[ingest_pb2.OutcomeCode.Name(answer.outcome.code)] += 1
            return
        told.accepted.append(took)
        told.ids.append(event.event_id)
        told.taken[self.name] += 1

    async def close(self) -> None:
        """Closes the connection."""
        await self._channel.close()


async def offer(clients: Sequence[OfferingClient], *, per_second: float, seconds: float) -> Told:
    """Makes calls at a rate, in turns by each of `clients`, and waits for none of them to make the next."""
    told = Told()
    loop = asyncio.get_running_loop()
    under_way: set[asyncio.Task[None]] = set()
    began = loop.time()
    for number in range(max(1, int(per_second * seconds))):
        due = began + number / per_second
        await asyncio.sleep(max(0.0, due - loop.time()))
        told.late.append(max(0.0, loop.time() - due))
        task = asyncio.create_task(clients[number % len(clients)].call(told))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    while under_way:
        await asyncio.wait(under_way)
    return told


def _says_when(error: grpc.aio.AioRpcError) -> bool:
    status = details_of(error)
    return status is not None and any(
        detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for detail in status.details
    )
