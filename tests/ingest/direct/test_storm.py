"""Screeners that die, drain, hang and come back in a random order: still one verdict for each event."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
import redis.asyncio as aioredis

from ingest.intake import Accepted
from pipeline.errors import ModelUnavailable
from pipeline.keys import ONLY
from pipeline.tasks import end
from screener.lease import Lease
from tests.fixtures.events import MakeEvent
from tests.fixtures.live_screener import LiveScreener
from tests.fixtures.screening import Bench
from tests.ingest.direct.direct_way import DirectWay, direct_way

STEPS = 60


class Storm:
    """Two screeners, and what can happen to them."""

    def __init__(self, store: aioredis.Redis, chance: random.Random) -> None:
        self.chance = chance
        self.screeners = [LiveScreener(Bench(store)), LiveScreener(Bench(store))]
        self.up = {0, 1}

    async def step(self) -> None:
        happens: Callable[[], Awaitable[None]] = self.chance.choice(
            [self.kill, self.drain, self.come_back, self.come_back, self.be_slow, self.fail, self.be_well]
        )
        await happens()

    async def kill(self) -> None:
        if self.up:
            await self.screeners[self._one_up()].kill()

    async def drain(self) -> None:
        if self.up:
            await self.screeners[self._one_up()].drain()

    async def come_back(self) -> None:
        for number in {0, 1} - self.up:
            await self.screeners[number].start()
        self.up = {0, 1}

    async def be_slow(self) -> None:
        self._any().bench.model.waits_s = self.chance.choice([0.02, 0.1, 0.6])

    async def fail(self) -> None:
        self._any().bench.model.fails_with = ModelUnavailable("away")

    async def be_well(self) -> None:
        model = self._any().bench.model
        model.waits_s, model.fails_with = 0.0, None

    def _any(self) -> LiveScreener:
        return self.chance.choice(self.screeners)

    def _one_up(self) -> int:
        number = self.chance.choice(sorted(self.up))
        self.up.discard(number)
        return number


async def sweeping(store: aioredis.Redis) -> None:
    lease = Lease(store, ONLY, lease_ms=1_000)
    while True:
        await lease.sweep()
        await asyncio.sleep(0.1)


async def talk(way: DirectWay, make_event: MakeEvent, chance: random.Random, accepted: list[str]) -> None:
    """Somebody says something, alone or in a batch; everything is accepted, for the queue is not full."""
    first = len(accepted)
    numbers = range(first, first + chance.choice([1, 1, 5, 30]))
    events = [make_event(event_id=f"e{i}", author_id=f"a{i}", content=f"text {i % 20}") for i in numbers]
    outcomes = await way.take(*events)
    assert {type(outcome) for outcome in outcomes} == {Accepted}
    accepted += [outcome.event_id for outcome in outcomes]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_each_event_has_exactly_one_verdict(
    store: aioredis.Redis, make_event: MakeEvent, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  # no secret
    storm = Storm(store, chance)
    for screener in storm.screeners:
        await screener.start()
    accepted: list[str] = []
    queue = Bench(store)
    addresses = [screener.address for screener in storm.screeners]
    sweeper = asyncio.create_task(sweeping(store))
    async with queue.running(), direct_way(store, *addresses, max_depth=100_000, timeout_ms=500) as way:
        for _ in range(STEPS):
            await talk(way, make_event, chance, accepted)
            if chance.random() < 0.4:
                await storm.step()
            await asyncio.sleep(chance.choice([0.0, 0.01, 0.05]))
        for screener in storm.screeners:
            screener.bench.model.waits_s, screener.bench.model.fails_with = 0.0, None
        await storm.come_back()
        await way.quiet()
        verdicts = await queue.verdicts(len(accepted))
        assert way.metric("events_accepted_total", hand_off="direct") > 0
    await end((sweeper,))
    for number in storm.up:
        await storm.screeners[number].kill()
    assert Counter(verdict.event_id for verdict in verdicts) == dict.fromkeys(accepted, 1)
    assert (await store.xlen(ONLY.direct), await store.xlen(ONLY.raw)) == (0, 0)
    assert await store.xlen(ONLY.dead_letter) == 0
