"""A Redis that hangs keeps one caller waiting at a time, and not all of them in turns."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ingest.guarded_admission import GuardedAdmission
from pipeline.admission import Admission, AdmissionLimits, AdmissionReport, Admitted, Candidate
from pipeline.errors import StoreUnavailable
from pipeline.keys import ONLY
from pipeline.store import connect
from scripts.system.ports import Ports
from scripts.system.redis import RedisServer

NOTHING = AdmissionReport((), (), (), 0, 0, 0)
LIMITS = AdmissionLimits(max_depth=100, max_unread=100, window_ms=60_000, duplicate_ms=60_000)


class Redis:
    """Admission that takes as long as it is told by a clock of its own, and then fails or does not."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.takes_s = 0.0
        self.fails = False
        self.asked = 0
        self.waits = asyncio.Event()
        self.waits.set()

    async def admit(self, candidates: Sequence[Candidate]) -> AdmissionReport:
        self.asked += 1
        await self.waits.wait()
        self.now_s += self.takes_s
        if self.fails:
            raise StoreUnavailable("away")
        return NOTHING


@pytest.fixture
def redis() -> Redis:
    return Redis()


@pytest.fixture
def guarded(redis: Redis) -> GuardedAdmission:
    return GuardedAdmission(redis, clock=lambda: redis.now_s)


async def refused(guarded: GuardedAdmission) -> None:
    with pytest.raises(StoreUnavailable):
        await guarded.admit(())


async def test_after_one_long_wait_callers_are_refused_without_being_asked_for(
    redis: Redis, guarded: GuardedAdmission
) -> None:
    redis.takes_s, redis.fails = 2.0, True
    for _ in range(5):
        await refused(guarded)
    assert redis.asked == 1


async def test_a_failure_that_comes_at_once_refuses_nobody_else(
    redis: Redis, guarded: GuardedAdmission
) -> None:
    redis.fails = True
    for _ in range(5):
        await refused(guarded)
    assert redis.asked == 5
    redis.fails = False
    assert await guarded.admit(()) == NOTHING


async def test_a_slow_answer_is_an_answer(redis: Redis, guarded: GuardedAdmission) -> None:
    redis.takes_s = 1.9
    for _ in range(5):
        assert await guarded.admit(()) == NOTHING


async def test_after_the_rest_one_batch_is_tried_and_the_others_are_refused_meanwhile(
    redis: Redis, guarded: GuardedAdmission
) -> None:
    redis.takes_s, redis.fails = 2.0, True
    await refused(guarded)
    redis.now_s += 1.0
    redis.takes_s, redis.fails = 0.0, False
    redis.waits.clear()
    tried = asyncio.create_task(guarded.admit(()))
    await asyncio.sleep(0)
    await refused(guarded)
    redis.waits.set()
    assert await tried == NOTHING
    assert redis.asked == 2
    assert await guarded.admit(()) == NOTHING


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(port=Ports().take(name="Redis"), folder=tmp_path)
    server.start()
    try:
        server.wait_ready()
        yield server
    finally:
        server.process.send_signal(signal.SIGCONT)
        server.stop()


async def test_a_redis_that_wakes_up_is_found_without_a_restart(own_redis: RedisServer) -> None:
    store = connect(own_redis.url, timeout_ms=700)
    guarded = GuardedAdmission(Admission(store, ONLY, LIMITS))
    own_redis.process.send_signal(signal.SIGSTOP)
    await refused(guarded)
    own_redis.process.send_signal(signal.SIGCONT)
    candidate = Candidate("event-1", bytes(16), "discord", b"payload")
    async with asyncio.timeout(30):
        while True:
            try:
                report = await guarded.admit((candidate,))
                break
            except StoreUnavailable:
                await asyncio.sleep(0.05)
    assert report.decisions[0].admitted in {Admitted.ACCEPTED, Admitted.DUPLICATE}
    await store.aclose()
