"""Every order in which things can happen to an event on the direct way, over the real scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import pytest
import redis.asyncio as aioredis

from pipeline.hand_off import HandOff
from pipeline.keys import GROUP, ONLY
from pipeline.record import RecordState
from pipeline.spill import spill
from screener.lease import Lease
from tests.fixtures.redis_state import entries_of
from tests.pipeline.door import candidate, decide, door, duplicate_of
from tests.pipeline.way_out import mover, publish, record_of

STREAMS = (ONLY.raw, ONLY.direct, ONLY.low_risk)


class Step(Enum):
    """What can happen after the admission; each at most once."""

    RETRY = "the client sends the event again"
    HAND_OVER = "ingest sends it to the screener"
    INGEST_CRASH = "ingest dies, and with it all that it knew"
    SCREENER_CRASH = "the screener dies, and with it all that it had"
    LEASE = "the lease has passed, and another screener sweeps"
    INGEST_SPILL = "ingest moves the entry to the queue"
    SCREENER_END = "the screener publishes, or moves the entry to the queue"
    WORKER = "a worker publishes what is in the queue"


@dataclass(frozen=True)
class World:
    """Where the event must be, and who may still do something about it."""

    place: str = ONLY.direct
    ingest_lives: bool = True
    screener_lives: bool = True
    handed_over: bool = False

    def can(self, step: Step, left: frozenset[Step]) -> bool:
        """Whether the step may happen now, and, for a crash, whether it changes what can still happen."""
        match step:
            case Step.HAND_OVER:
                return self.ingest_lives and self.screener_lives
            case Step.INGEST_SPILL:
                return self.ingest_lives
            case Step.SCREENER_END:
                return self.handed_over
            case Step.INGEST_CRASH:
                return bool(left & {Step.HAND_OVER, Step.INGEST_SPILL})
            case Step.SCREENER_CRASH:
                return self.handed_over or (self.ingest_lives and Step.HAND_OVER in left)
            case _:
                return True

    def after(self, step: Step, *, ends_in: str) -> World:
        """The world after a step; `ends_in` is where the screener's own move leads."""
        place = self.place
        if place == ONLY.direct:
            moves = {Step.LEASE: ONLY.raw, Step.INGEST_SPILL: ONLY.raw, Step.SCREENER_END: ends_in}
            place = moves.get(step, place)
        elif place == ONLY.raw and step is Step.WORKER:
            place = ONLY.low_risk
        return World(
            place=place,
            ingest_lives=self.ingest_lives and step is not Step.INGEST_CRASH,
            screener_lives=self.screener_lives and step is not Step.SCREENER_CRASH,
            handed_over=step is Step.HAND_OVER
            or (self.handed_over and step not in {Step.SCREENER_CRASH, Step.SCREENER_END}),
        )


def orders(world: World, left: frozenset[Step], *, ends_in: str) -> Iterator[tuple[Step, ...]]:
    """Every sequence of possible steps that ends where no further one is possible."""
    possible = [step for step in Step if step in left and world.can(step, left)]
    if not possible:
        yield ()
    for step in possible:
        for rest in orders(world.after(step, ends_in=ends_in), left - {step}, ends_in=ends_in):
            yield (step, *rest)


class Real:
    """The same steps, done by the real scripts."""

    def __init__(self, store: aioredis.Redis, *, retry_by: HandOff, ends_in: str) -> None:
        self.store = store
        self.admission = door(store, max_direct=10)
        self.direct = mover(store, source=ONLY.direct, group="")
        self.queue = mover(store)
        self.lease = Lease(store, ONLY, lease_ms=0)
        self.retry_by = retry_by
        self.ends_in = ends_in
        self.entry_id = ""

    async def admit(self) -> None:
        """From nothing at all to an event on the direct way."""
        async with self.store.pipeline(transaction=False) as pipe:
            pipe.delete(*STREAMS, ONLY.event("e1"), ONLY.fingerprint(candidate("e1").fingerprint))
            pipe.xgroup_create(ONLY.raw, GROUP, id="0", mkstream=True)
            await pipe.execute()
        report = await self.admission.admit([candidate("e1", hand_off=HandOff.DIRECT)])
        [decision] = report.decisions
        assert decision.hand_off is HandOff.DIRECT
        self.entry_id = decision.entry_id

    async def do(self, step: Step, before: World) -> None:
        """One step; what the scripts answer is what the world before it says."""
        was_direct = before.place == ONLY.direct
        match step:
            case Step.RETRY:
                again = candidate("e1", hand_off=self.retry_by)
                assert await decide(self.admission, again) == [duplicate_of("e1")]
            case Step.LEASE:
                assert await self.lease.sweep() == was_direct
            case Step.INGEST_SPILL:
                assert await self.spill() is was_direct
            case Step.SCREENER_END if self.ends_in == ONLY.raw:
                assert await self.spill() is was_direct
            case Step.SCREENER_END:
                [new_id] = await self.direct.move([publish(self.entry_id)])
                assert (new_id is not None) is was_direct
            case Step.WORKER:
                assert await self.work() is (before.place == ONLY.raw)
            case _:
                pass  # who dies does nothing any more; what is handed over is known already

    async def spill(self) -> bool:
        move = spill(
            ONLY,
            entry_id=self.entry_id,
            event_id="e1",
            platform="discord",
            payload=candidate("e1").payload,
        )
        [new_id] = await self.direct.move([move])
        return new_id is not None

    async def work(self) -> bool:
        read = await self.store.xreadgroup(GROUP, "worker", {ONLY.raw: ">"})
        for entry_id, _ in await entries_of(self.store, ONLY.raw) if read else ():
            [new_id] = await self.queue.move([publish(entry_id)])
            return new_id is not None
        return False

    async def places(self) -> list[str]:
        """Every stream that holds the event, once for each entry."""
        async with self.store.pipeline(transaction=False) as pipe:
            for stream in STREAMS:
                pipe.xlen(stream)
            lengths = await pipe.execute()
        return [stream for stream, length in zip(STREAMS, lengths, strict=True) for _ in range(length)]


@pytest.mark.parametrize(
    ("retry_by", "ends_in"), [(HandOff.DIRECT, ONLY.low_risk), (HandOff.STREAM, ONLY.raw)]
)
async def test_the_event_is_in_one_place_whatever_happens_when_and_has_one_verdict_in_the_end(
    store: aioredis.Redis, retry_by: HandOff, ends_in: str
) -> None:
    real = Real(store, retry_by=retry_by, ends_in=ends_in)
    for steps in orders(World(), frozenset(Step), ends_in=ends_in):
        await real.admit()
        world = World()
        for number, step in enumerate(steps, start=1):
            await real.do(step, world)
            world = world.after(step, ends_in=ends_in)
            assert await real.places() == [world.place], steps[:number]
        # Whoever is still there: the lease, and a worker.
        await real.lease.sweep()
        await real.work()
        assert await real.places() == [ONLY.low_risk], steps
        record = await record_of(store, "e1")
        [(entry_id, _)] = await entries_of(store, ONLY.low_risk)
        assert (record.state, record.entry_id) == (RecordState.SCREENED, entry_id), steps
        assert await decide(real.admission, candidate("e1")) == [duplicate_of("e1")], steps
