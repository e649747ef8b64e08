"""What takes long to show: all parts roll over under load, and Redis stays away for half a minute."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from seawall.ingest.v1 import ingest_pb2, ingest_pb2_grpc

from pipeline.hand_off import HandOff
from pipeline.server import channel_options
from pipeline.status import details_of
from scripts.chaos.faults import FAULTS, Fault
from scripts.chaos.proxy import Proxy
from scripts.chaos.run import Plan, breakable_system, run_chaos
from scripts.chaos.stage import Stage
from scripts.system.system import System
from tests.fixtures.events import MakeEvent

AWAY_S = 30.0
MOST_GROWTH_MB = 64
ROLLING = ("ingest restarted", "screeners restarted", "Triton restarted", "Redis restarted")
ODD = ("Triton answers nonsense", "Triton hangs", "clocks set", "Redis's disk full")
BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.fixture
def breakable() -> Iterator[tuple[System, Proxy]]:
    with breakable_system(minutes=10, report=print) as running:
        yield running


class RedisAwayForLong:
    """Redis dies and stays away, while clients come again and again."""

    def __init__(self, make_event: MakeEvent) -> None:
        self._make_event = make_event
        self.refusals: list[tuple[grpc.StatusCode, bool, float]] = []
        self.grown_mb: dict[str, float] = {}

    async def strike(self, stage: Stage) -> None:
        system = stage.system
        services = (system.ingest, *system.screeners)
        system.redis.process.kill()
        await asyncio.sleep(1)  # what was under way has its end, and clients have begun to come again
        before = {service.process.name: resident_mb(service.process.pid) for service in services}
        until = time.monotonic() + AWAY_S
        async with grpc.aio.insecure_channel(system.ingest_address, options=channel_options()) as channel:
            stub = ingest_pb2_grpc.IngestServiceStub(channel)
            while time.monotonic() < until:
                await self._refused(stub, system.api_key)
                await asyncio.sleep(0.5)
        for service in services:
            grown = resident_mb(service.process.pid) - before[service.process.name]
            self.grown_mb[service.process.name] = grown
        system.redis.start()

    async def _refused(self, stub: ingest_pb2_grpc.IngestServiceAsyncStub, key: str) -> None:
        request = ingest_pb2.IngestRequest(event=self._make_event(event_id="refused").to_proto())
        began = time.monotonic()
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await stub.Ingest(request, metadata=(("api-key", key),), timeout=30)
        status = details_of(told.value)
        delay = any(d.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for d in status.details) if status else False
        self.refusals.append((told.value.code(), delay, time.monotonic() - began))


def resident_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


@pytest.mark.endurance
@pytest.mark.timeout(900)
def test_outages_of_every_part_lose_double_and_fail_nothing(
    breakable: tuple[System, Proxy], make_event: MakeEvent
) -> None:
    away = RedisAwayForLong(make_event)
    long_outage = Fault("Redis away for half a minute", away.strike)
    order = [(HandOff.DIRECT, BY_NAME[name]) for name in ROLLING]
    order += [(HandOff.STREAM, BY_NAME[name]) for name in ODD]
    order.append((HandOff.STREAM, long_outage))
    plan = Plan(order=order, seconds=600, outage_s=2, events_per_second=60, seed=7)
    report = asyncio.run(run_chaos(*breakable, plan, print))
    assert report.complaints == ()
    tally = report.total.tally
    assert (tally.lost, tally.doubled) == (0, 0)
    assert tally.verdicts == tally.accepted
    assert report.total.times == len(order)

    assert away.refusals
    assert {code for code, _, _ in away.refusals} == {grpc.StatusCode.UNAVAILABLE}
    assert all(delay for _, delay, _ in away.refusals)
    assert max(seconds for _, _, seconds in away.refusals) < 5
    assert max(away.grown_mb.values()) < MOST_GROWTH_MB, away.grown_mb
