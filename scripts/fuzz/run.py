"""`run_fuzz`: hostile calls side by side, good events between them, and the end that must hold."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import grpc
from seawall.ingest.v1 import ingest_pb2
from seawall.screening.v1 import screening_pb2

from pipeline.errors import StartupFailed
from pipeline.keys import ONLY
from pipeline.store import connect
from pipeline.tasks import end
from scripts.chaos.end_state import EndState, read_end_state
from scripts.fuzz import garbage, oracle
from scripts.fuzz.call import INGEST, SCREENING, Answer, Call, Target
from scripts.fuzz.door import Door
from scripts.fuzz.events import a_valid_event
from scripts.fuzz.kinds import FEWEST, SHARES, call_of
from scripts.fuzz.logs import LogReader
from scripts.system.system import System

_SIDE_BY_SIDE = 8
_LOOK_S = 2.0
_DRAINED_WITHIN_S = 600.0
_MOST_COMPLAINTS = 50
_THROWN = 30


@dataclass(frozen=True, slots=True)
class Plan:
    """How much; a run ends with the first of both.

    Attributes:
        inputs: hostile inputs.
        seed: makes them.
        seconds: no call begins later.
    """

    inputs: int
    seed: int
    seconds: float = float("inf")


@dataclass(slots=True)
class Row:
    """One kind: its inputs, the statuses of its calls, and the longest of them."""

    inputs: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    worst_s: float = 0.0


@dataclass(slots=True)
class Report:
    """What came of a run; `complaints` are broken promises, a line each."""

    rows: dict[str, Row] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    good: int = 0
    seconds: float = 0.0

    @property
    def inputs(self) -> int:
        """Of all kinds."""
        return sum(row.inputs for row in self.rows.values())


def calls(plan: Plan) -> Iterator[Call]:
    """The calls of a plan: always those whose kind is furthest behind its share."""
    dice = Random(plan.seed)  # noqa: S311  # no secret
    wanted = {kind: max(FEWEST, round(share * plan.inputs)) for kind, share in SHARES.items()}
    left = dict(wanted)
    while any(left.values()):
        kind = max(left, key=lambda kind: left[kind] / wanted[kind])
        call = call_of(kind, dice, room=left[kind])
        left[kind] = max(0, left[kind] - call.inputs)
        yield call


async def run_fuzz(
    system: System, plan: Plan, *, failures: Path, report: Callable[[str], None] = lambda _: None
) -> Report:
    """Runs the plan against a system that runs; inputs that break a promise are written to `failures`.

    Raises:
        StoreUnavailable: Redis does not answer.
    """
    run = _Run(system, plan, failures)
    watching = asyncio.create_task(run.watch(report))
    started = time.monotonic()
    try:
        await asyncio.gather(*(run.work() for _ in range(_SIDE_BY_SIDE)))
        await run.throw_garbage()
    finally:
        await end((watching,))
        try:
            run.look()
            await run.good_event()
        finally:
            await run.door.close()
    run.report.seconds = time.monotonic() - started
    await run.audit()
    return run.report


class _Run:
    """One run."""

    def __init__(self, system: System, plan: Plan, failures: Path) -> None:
        self.report = Report()
        self.door = Door(
            {Target.INGEST: system.ingest_address, Target.SCREENER: system.screener_address},
            api_key=system.api_key,
        )
        self._system = system
        self._failures = failures
        self._calls = calls(plan)
        self._dice = Random(plan.seed)  # noqa: S311  # no secret
        self._until = time.monotonic() + plan.seconds
        services = (system.ingest, *system.screeners)
        self._logs = [LogReader(service.process.log) for service in services]

    async def work(self) -> None:
        """Makes call after call."""
        for call in self._calls:
            if time.monotonic() > self._until or self._is_enough:
                break
            self._note(call, await self.door.send(call))

    async def throw_garbage(self) -> None:
        """Bytes that are no calls, at every port."""
        row = self.report.rows.setdefault(garbage.KIND, Row())
        services = (self._system.ingest, self._system.screener)
        ports = [port for own in services for port in (own.ports.grpc, own.ports.http)] * _THROWN
        thrown = await asyncio.gather(
            *(garbage.throw(self._dice, port) for port in ports), return_exceptions=True
        )
        for port, seconds in zip(ports, thrown, strict=True):
            if isinstance(seconds, BaseException):
                self._complain(f"{garbage.KIND}: port {port}: {seconds}")
                continue
            row.inputs += 1
            row.codes["connections"] += 1
            row.worst_s = max(row.worst_s, seconds)

    async def watch(self, tell: Callable[[str], None]) -> None:
        """Looks at processes and logs, and sends good events, until it is cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            self.look()
            await self.good_event()
            tell(
                f"{self.report.inputs} inputs, {len(self.report.accepted)} accepted, {self.report.good} good"
            )

    def look(self) -> None:
        """Every process runs, and no log tells of an error."""
        try:
            self._system.check()
        except StartupFailed as error:
            self._complain(str(error))
        for log in self._logs:
            for told in log.complaints():
                self._complain(told)

    async def good_event(self) -> None:
        """A good event gets its verdict, whatever else comes in; from both services."""
        dice = Random(os.urandom(8))  # noqa: S311  # no secret; a new one each time, whatever the plan's seed
        event = a_valid_event(dice)
        one = ingest_pb2.IngestRequest(event=event, wait_for_verdict=True)
        one.verdict_timeout.seconds = 60
        other = screening_pb2.ScreenRequest(event=event)
        answers = await asyncio.gather(
            *(
                self.door.send(Call("good", target, method, (request.SerializeToString(),), deadline_s=90))
                for target, method, request in (
                    (Target.INGEST, f"{INGEST}Ingest", one),
                    (Target.SCREENER, f"{SCREENING}Screen", other),
                )
            )
        )
        kinds: tuple[Any, ...] = (ingest_pb2.IngestResponse, screening_pb2.ScreenResponse)
        for target, answer, kind in zip(Target, answers, kinds, strict=True):
            if answer.code is not grpc.StatusCode.OK:
                self._complain(f"a good event at {target.value}: {answer.code.name} {answer.message[:200]}")
            elif not kind.FromString(answer.responses[0]).HasField("verdict"):
                self._complain(f"a good event at {target.value} had no verdict")
        self.report.good += 1
        self.report.accepted.append(event.event_id)

    async def audit(self) -> None:
        """Each accepted event has exactly one verdict."""
        client = connect(self._system.redis_url, timeout_ms=10_000)
        try:
            async with asyncio.timeout(_DRAINED_WITHIN_S):
                # entries move from direct to raw and never back: in this order none is overlooked on its way
                while await client.xlen(ONLY.direct) + await client.xlen(ONLY.raw):  # noqa: ASYNC110  # Redis is asked
                    await asyncio.sleep(0.1)
        except TimeoutError:
            self._complain(f"events wait for their verdicts after {_DRAINED_WITHIN_S:g} s")
        try:
            state = await read_end_state(client, ONLY, self.report.accepted)
        finally:
            await client.aclose()
        for complaint in _of_end(self.report.accepted, state):
            self._complain(complaint)

    @property
    def _is_enough(self) -> bool:
        return len(self.report.complaints) >= _MOST_COMPLAINTS

    def _note(self, call: Call, answer: Answer) -> None:
        row = self.report.rows.setdefault(call.kind, Row())
        row.inputs += call.inputs
        row.codes["lost by the client's library" if answer.lost else answer.code.name] += 1
        row.worst_s = max(row.worst_s, answer.seconds)
        self.report.accepted += oracle.accepted(call, answer)
        if broken := oracle.complaints(call, answer):
            where = self._keep(call)
            for complaint in dict.fromkeys(broken):
                self._complain(f"{call.kind}: {call.method}: {complaint} ({where})")

    def _keep(self, call: Call) -> Path:
        self._failures.mkdir(parents=True, exist_ok=True)
        where = self._failures / f"{call.kind.replace(' ', '-')}-{len(self.report.complaints)}.txt"
        where.write_text(call.encode())
        return where

    def _complain(self, complaint: str) -> None:
        if not self._is_enough:
            self.report.complaints.append(complaint)


def _of_end(accepted: list[str], state: EndState) -> Iterator[str]:
    counts: Mapping[str, int] = state.verdicts
    for what, ids in (
        ("lost", [one for one in accepted if not counts.get(one) and not state.dead_letters.get(one)]),
        ("with two verdicts", [one for one in accepted if counts.get(one, 0) > 1]),
        ("dead-lettered", [one for one in accepted if state.dead_letters.get(one)]),
    ):
        if ids:
            yield f"{len(ids)} events {what}: {', '.join(ids[:3])}"
