"""`run_chaos`: load, faults one after the other, and the audit."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StartupFailed
from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from pipeline.store import connect
from pipeline.tasks import end
from scripts.chaos.audit import audit
from scripts.chaos.client import RetryingClient
from scripts.chaos.end_state import read_end_state
from scripts.chaos.faults import Fault
from scripts.chaos.ledger import Ledger
from scripts.chaos.load import Load
from scripts.chaos.proxy import Proxy
from scripts.chaos.report import Report, Struck, report_of
from scripts.chaos.settings import settings
from scripts.chaos.stage import Stage
from scripts.chaos.tail import follow
from scripts.chaos.texts import texts
from scripts.drive.watcher import Watcher
from scripts.system.ports import HOST, Ports
from scripts.system.system import System, WantedPorts

SCREENERS = 2
_REDIS_TIMEOUT_MS = 10_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen.

    Attributes:
        order: the faults, each with the way that events go meanwhile; as many as there are or time allows.
        seconds: after so long no further fault begins.
        outage_s: how long an outage lasts.
        events_per_second: the load.
        seed: makes all that is random; what the processes make of it is still their own.
    """

    order: Iterable[tuple[HandOff, Fault]]
    seconds: float
    outage_s: float
    events_per_second: float
    seed: int


@contextmanager
def breakable_system(*, minutes: float, report: Callable[[str], None]) -> Iterator[tuple[System, Proxy]]:
    """A system of its own with two screeners and a Redis that keeps its data, and the network before it.

    Raises:
        StartupFailed: a part did not start.
        TritonError: Triton did not.
    """
    ports = Ports()
    redis, network = ports.take(name="Redis"), ports.take(name="the network")
    with (
        tempfile.TemporaryDirectory(prefix="seawall-chaos-") as folder,
        Proxy(port=network, target_port=redis) as proxy,
        System(
            ports=WantedPorts(redis=redis),
            data_dir=Path(folder, "redis"),
            screeners=SCREENERS,
            settings=settings(redis_url=f"redis://{HOST}:{network}/0", minutes=minutes),
            run_by=("-m", "scripts.chaos.stepping"),
            report=report,
        ) as system,
    ):
        yield system, proxy


async def run_chaos(system: System, network: Proxy, plan: Plan, report: Callable[[str], None]) -> Report:
    """Runs the plan on the main thread, which starts processes; `report` is told of each fault.

    Raises:
        StoreUnavailable: Redis does not answer, not even at the end.
    """
    dice = random.Random(plan.seed)  # noqa: S311  # no secret
    ledger = Ledger()
    client = RetryingClient(
        system.ingest_address, api_key=system.api_key, ledger=ledger, dice=dice, clock=time.monotonic
    )
    load = Load(
        client,
        ledger,
        texts(),
        events_per_second=plan.events_per_second,
        dice=dice,
        clock=time.monotonic,
    )
    store = connect(system.redis_url, timeout_ms=_REDIS_TIMEOUT_MS)
    stage = Stage(system, network, store, load, ledger, dice, plan.outage_s)
    watcher = Watcher(store, ONLY)
    await watcher.note_positions()
    following = asyncio.create_task(follow(watcher, ledger))
    try:
        run = _Run(stage, report)
        try:
            await run.faults(plan)
            await run.settle()
        except StartupFailed as error:
            stage.complaints.append(str(error))
        await load.stop()
        got_in = list(ledger.got_in)
        state = await stage.ask_redis(lambda client: read_end_state(client, ONLY, got_in))
    finally:
        await end((following,))
        await client.close()
        await store.aclose()
    return report_of(
        run.struck,
        audit(ledger, state),
        complaints=stage.complaints,
        notes=stage.notes,
        codes=ledger.codes,
    )


class _Run:
    """One run; `struck` are the faults so far."""

    def __init__(self, stage: Stage, report: Callable[[str], None]) -> None:
        self.struck: list[Struck] = []
        self._stage = stage
        self._report = report

    async def faults(self, plan: Plan) -> None:
        """Makes the load, and lets every fault happen in it."""
        stage = self._stage
        stage.ledger.during = "before the first fault"
        stage.load.fill_caches()
        await stage.until(lambda: stage.ledger.settled(time.monotonic()), "the caches were not filled")
        loading = asyncio.create_task(stage.load.run())
        give_up = time.monotonic() + plan.seconds
        try:
            for hand_off, fault in plan.order:
                if time.monotonic() > give_up:
                    break
                stage.load.hand_off = hand_off
                stage.ledger.during = f"{fault.name} ({hand_off.label})"
                await self._let_happen(fault)
                if loading.done():
                    loading.result()  # raises what ended it
        finally:
            await end((loading,))

    async def settle(self) -> None:
        """Waits until everything sent is in and has its verdict."""
        stage = self._stage
        await stage.until(
            lambda: stage.ledger.settled(time.monotonic()), "not everything had its verdict in the end"
        )

    async def _let_happen(self, fault: Fault) -> None:
        stage, during = self._stage, self._stage.ledger.during
        before = stage.ledger.accepted
        await fault.strike(stage)
        mended_at = time.monotonic()
        probe = stage.load.probe()
        await stage.until(lambda: stage.ledger.has_verdict(probe), f"{during}: a fresh event had no verdict")
        recovery_s = time.monotonic() - mended_at
        system = stage.system
        await stage.until_ready(system.ingest, *system.screeners, system.triton)
        await stage.until(
            lambda: stage.ledger.settled(mended_at), f"{during}: what was sent had not all got its verdict"
        )
        struck = Struck(during, recovery_s, time.monotonic() - mended_at)
        self.struck.append(struck)
        self._report(
            f"{len(self.struck):3}  {during:<36}  {stage.ledger.accepted - before:6} accepted, "
            f"recovered in {struck.recovery_s:.1f} s, all done in {struck.whole_s:.1f} s"
        )
