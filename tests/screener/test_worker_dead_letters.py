"""What the worker gives up on a real Redis, what it does not, and where it stops giving up."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import redis.asyncio as aioredis
from structlog.testing import capture_logs

from pipeline.dead_letter import DeadLetter
from pipeline.errors import ModelUnavailable
from pipeline.event import Event
from pipeline.keys import GROUP, ONLY
from screener.dead_letter_limit import DeadLetteringStopped
from screener.heuristics import Heuristics
from screener.worker import Worker
from scripts.system.redis import RedisServer
from tests.fixtures.events import MakeEvent
from tests.fixtures.redis_state import entries_of, event_ids_in
from tests.fixtures.screening import GENEROUS, HEURISTICS, Bench, a_core

ROOT = Path(__file__).resolve().parents[2]
STRICT = replace(GENEROUS, min_count=3)
POISON = "the poison"


async def until_length(store: aioredis.Redis, stream: str, n: int) -> None:
    async with asyncio.timeout(20):
        while await store.xlen(stream) != n:
            await asyncio.sleep(0.02)


async def dead_letters(store: aioredis.Redis) -> list[DeadLetter]:
    return [DeadLetter.of(fields) for _, fields in await entries_of(store, ONLY.dead_letter)]


async def stopped(worker: Worker) -> str:
    """How the limit was reached; empty while it is not."""
    try:
        assert await worker.takes_entries()
    except DeadLetteringStopped as error:
        return str(error)
    return ""


@pytest.fixture
def bench(store: aioredis.Redis) -> Bench:
    found = Bench(store, dead_letter_bounds=STRICT, claim_idle_ms=50)
    found.model.poison = POISON
    return found


async def test_a_dead_letter_says_who_gave_it_up_and_where_it_failed(
    bench: Bench, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    event = make_event(content=POISON)
    [entry_id] = await bench.admit(event)
    async with bench.running(bench.worker(consumer="host-1-abc")):
        await until_length(store, ONLY.dead_letter, 1)
    [letter] = await dead_letters(store)
    trace, letter = letter.trace, replace(letter, trace=())
    assert letter == DeadLetter("event-1", "max_deliveries", 3, entry_id, "host-1-abc", (), event.encode())
    assert [line for line in trace if not line.startswith(" ")] == ["ValueError"]  # and not the batch's
    assert trace[1].startswith("  tests.fixtures.model:")
    assert any(line.startswith("  screener.core:") for line in trace)
    assert POISON not in "".join(trace)


async def test_an_entry_that_does_not_decode_says_so_at_once(bench: Bench, store: aioredis.Redis) -> None:
    await store.xadd(ONLY.raw, {"event_id": "broken", "event": b"\xff\xff"})
    async with bench.running():
        await until_length(store, ONLY.dead_letter, 1)
    [letter] = await dead_letters(store)
    assert (letter.reason, letter.deliveries, letter.trace[0]) == ("undecodable", 1, "EntryUndecodable")


async def test_a_model_that_goes_away_during_a_try_counts_no_delivery(
    bench: Bench, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    model = bench.model
    [entry_id] = await bench.admit(make_event(content=POISON))
    model.waits_s = 0.3  # the first answer, of the batch, is that it is poison; the next, of the try, is none
    async with bench.running():
        async with asyncio.timeout(20):
            while not await store.hexists(ONLY.attempts, entry_id):
                await asyncio.sleep(0.02)
        model.fails_with = ModelUnavailable("away")
        async with asyncio.timeout(20):
            while await store.hexists(ONLY.attempts, entry_id):
                await asyncio.sleep(0.02)
        assert await store.xlen(ONLY.dead_letter) == 0
        model.fails_with, model.waits_s = None, 0.0
        await until_length(store, ONLY.dead_letter, 1)
    [letter] = await dead_letters(store)
    assert letter.deliveries == 3


class Release:
    """A screener whose rules fail on every event, until they are mended."""

    broken = True

    def rules(self) -> Heuristics:
        if self.broken:
            raise ValueError("whatever a bad release raises")
        return HEURISTICS


def texts(make_event: MakeEvent, n: int, *, tag: str = "e") -> list[Event]:
    return [make_event(event_id=f"{tag}{i}", content=f"text {tag} {i}") for i in range(n)]


async def until_stopped(worker: Worker) -> str:
    async with asyncio.timeout(20):
        while not (how := await stopped(worker)):
            await asyncio.sleep(0.02)
    return how


async def test_past_the_limit_nothing_is_given_up_and_nothing_taken(
    bench: Bench, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    worker = bench.worker(core=a_core(bench.model, Release().rules))
    await bench.admit(*texts(make_event, 20))
    with capture_logs() as logs:
        async with bench.running(worker):
            assert (
                await until_stopped(worker) == "3 of the last 3 entries would be dead letters, more than 10%"
            )
            assert bench.registry.get_sample_value("dead_lettering_stopped") == 1
            async with asyncio.timeout(20):  # what was in hand is tried to the end, and left
                while [log["event"] for log in logs].count("entry_failed") < 20 * 3:
                    await asyncio.sleep(0.02)
            await asyncio.sleep(1.5)  # longer than a read that is under way
            await bench.admit(*texts(make_event, 5, tag="late"))
            await asyncio.sleep(1.0)
            assert (await store.xpending(ONLY.raw, GROUP))["pending"] == 18
    assert (await store.xlen(ONLY.dead_letter), await store.xlen(ONLY.raw)) == (2, 23)
    assert [log["event"] for log in logs].count("dead_lettering_stopped") == 1


async def test_the_next_release_finds_all_that_the_bad_one_left(
    bench: Bench, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bad = bench.worker(consumer="bad", core=a_core(bench.model, Release().rules))
    await bench.admit(*texts(make_event, 20))
    async with bench.running(bad):
        await until_stopped(bad)
    async with bench.running(bench.worker(consumer="good")):
        verdicts = await bench.verdicts(18)
    assert len({verdict.event_id for verdict in verdicts}) == 18
    assert (await store.xlen(ONLY.dead_letter), await store.xlen(ONLY.raw)) == (2, 0)


async def test_goes_on_by_itself_once_a_probe_passes_and_gives_up_nothing_for_it(
    bench: Bench, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    release = Release()
    bench.probe_s = 0.2
    worker = bench.worker(core=a_core(bench.model, release.rules))
    await bench.admit(*texts(make_event, 20))
    with capture_logs() as logs:
        async with bench.running(worker):
            await until_stopped(worker)
            async with asyncio.timeout(20):
                while [log["event"] for log in logs].count("dead_letter_probe_failed") < 2:
                    await asyncio.sleep(0.02)
            assert await stopped(worker)
            assert await store.xlen(ONLY.dead_letter) == 2
            release.broken = False
            verdicts = await bench.verdicts(18)
            await until_length(store, ONLY.raw, 0)
            assert not await stopped(worker)
            assert bench.registry.get_sample_value("dead_lettering_stopped") == 0
    assert len({verdict.event_id for verdict in verdicts}) == 18
    assert await store.xlen(ONLY.dead_letter) == 2


async def test_some_poison_among_few_stops_nothing(
    bench: Bench, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    worker = bench.worker()
    poison = [make_event(event_id=f"p{i}", author_id=f"p{i}", content=POISON) for i in range(2)]
    await bench.admit(*texts(make_event, 3), *poison, *texts(make_event, 3, tag="f"))
    async with bench.running(worker):
        assert len(await bench.verdicts(6)) == 6
        await until_length(store, ONLY.dead_letter, 2)
        assert not await stopped(worker)
    assert await event_ids_in(store, ONLY.dead_letter) == ["p0", "p1"]


async def test_the_neighbours_of_what_kills_its_worker_get_their_verdicts(
    bench: Bench, store: aioredis.Redis, redis_server: RedisServer, make_event: MakeEvent
) -> None:
    """A real process, which dies at once of the poison, and is started again each time."""
    deadly = [make_event(event_id=f"p{i}", author_id=f"p{i}", content=POISON) for i in range(2)]
    await bench.admit(*texts(make_event, 30), *deadly, *texts(make_event, 30, tag="f"))
    command = [sys.executable, "-m", "tests.screener.mortal_worker", redis_server.url, POISON]
    mortal = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        told, _ = await asyncio.wait_for(mortal.communicate(), 240)
    except TimeoutError:
        mortal.kill()
        raise
    assert mortal.returncode == 0
    # Twice for both, when they were among others; then three times alone, each.
    assert told.splitlines().count(b"died") == 8
    assert len(await bench.verdicts(60)) == 60
    letters = await dead_letters(store)
    assert [(x.event_id, x.reason, x.deliveries, x.trace) for x in letters] == [
        ("p0", "max_deliveries", 3, ()),
        ("p1", "max_deliveries", 3, ()),
    ]
    assert await store.hlen(ONLY.attempts) == 0
