"""The direct way as `python -m ingest` builds it, on a real Redis, towards screeners of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis.asyncio as aioredis
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from seawall.ingest.v1 import ingest_pb2

from ingest.direct.open_sender import open_sender
from ingest.direct.sender import Sender
from ingest.intake import Intake, Outcome
from ingest.metrics import IngestMetrics
from ingest.settings import IngestSettings
from pipeline.admission import Admission, AdmissionLimits
from pipeline.event import Event
from pipeline.hand_off import HandOff, HandOffChoice
from pipeline.keys import ONLY
from pipeline.tasks import end
from pipeline.tls import CertificatesInForce
from pipeline.verdict import Verdict
from tests.fixtures.digests import DIGESTS
from tests.fixtures.events import MakeEvent
from tests.fixtures.live_screener import HAND_OFF_KEY
from tests.fixtures.screening import Bench


@dataclass
class EverybodyWaits:
    """Waits for every verdict, and keeps what it was told."""

    told: list[Verdict] = field(default_factory=list)

    def awaits(self, event_id: str) -> bool:
        return bool(event_id)

    def tell(self, verdict: Verdict) -> None:
        self.told.append(verdict)


@dataclass
class DirectWay:
    """Intake and sender, and what they were told."""

    intake: Intake
    sender: Sender
    registry: CollectorRegistry
    told: list[Verdict]

    async def take(self, *events: Event, hand_off: HandOff | None = None) -> list[Outcome]:
        request = ingest_pb2.IngestBatchRequest(
            events=[event.to_proto() for event in events],
            hand_off=hand_off and int(hand_off),  # type: ignore[arg-type]  # an int is the enum's value
        )
        return await self.intake.take(request)

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0

    def spilled(self, reason: str) -> float:
        return self.metric("events_spilled_total", reason=reason)

    async def connected(self, streams: int = 1) -> None:
        await self.until(lambda: self.metric("hand_off_streams") == streams)

    async def quiet(self) -> None:
        """Returns when nothing is on the direct way."""
        await self.until(lambda: self.sender.in_flight == 0)

    @staticmethod
    async def until(holds: Callable[[], bool], *, within_s: float = 20) -> None:
        async with asyncio.timeout(within_s):
            while not holds():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def direct_way(
    store: aioredis.Redis,
    *addresses: str,
    key: str = HAND_OFF_KEY,
    max_direct: int = 1_000,
    max_depth: int = 1_000,
    in_flight: int = 1_000,
    stream_in_flight: int = 1_000,
    batch_events: int = 50,
    timeout_ms: int = 5_000,
    ca_path: Path | None = None,
) -> AsyncIterator[DirectWay]:
    """Runs for the block, then ends as on SIGTERM."""
    settings = IngestSettings(
        handoff="direct",
        screener_addresses=",".join(addresses),
        screener_api_key=SecretStr(key),
        screener_ca_path=ca_path,
        direct_in_flight=in_flight,
        direct_stream_in_flight=stream_in_flight,
        direct_batch_events=batch_events,
        direct_timeout_ms=timeout_ms,
    )
    registry = CollectorRegistry()
    metrics = IngestMetrics(registry)
    waiting = EverybodyWaits()
    sender = open_sender(
        settings,
        store,
        ONLY,
        metrics,
        verdicts=waiting,
        certificates=CertificatesInForce.of(settings.screener_certificates),
    )
    limits = AdmissionLimits(
        max_depth, max_unread=1_000, window_ms=60_000, duplicate_ms=60_000, max_direct=max_direct
    )
    intake = Intake(
        Admission(store, ONLY, limits),
        metrics,
        digests=DIGESTS,
        depth_limit=max_depth,
        max_waiting=10_000,
        ways=HandOffChoice(HandOff.DIRECT, frozenset({HandOff.STREAM})),
        sender=sender,
    )
    running = asyncio.create_task(sender.run())
    try:
        yield DirectWay(intake, sender, registry, waiting.told)
    finally:
        await intake.drain()
        await end((running,))
        await sender.close(grace_s=5)


def some(make_event: MakeEvent, n: int, *, tag: str = "e") -> list[Event]:
    return [make_event(event_id=f"{tag}{i}", content=f"text {tag} {i}") for i in range(n)]


async def depths(store: aioredis.Redis) -> tuple[int, int]:
    """Entries of the direct way and of the queue."""
    return await store.xlen(ONLY.direct), await store.xlen(ONLY.raw)


async def everything_gets_its_verdict(bench: Bench, n: int) -> None:
    """What was spilled is in the queue, where a worker finds it."""
    async with bench.running():
        verdicts = await bench.verdicts(n)
    assert len({verdict.event_id for verdict in verdicts}) == len(verdicts) == n
    assert await depths(bench.store) == (0, 0)
