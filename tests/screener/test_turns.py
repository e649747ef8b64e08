from __future__ import annotations

import asyncio

from screener.turns import Turns


class Seen:
    """What was under way at once, each time that something began."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.under_way: list[str] = []
        self.sights: set[tuple[str, ...]] = set()

    async def _work(self, name: str) -> None:
        self.under_way.append(name)
        self.sights.add(tuple(sorted(self.under_way)))
        await asyncio.sleep(0.001)
        self.under_way.remove(name)

    async def batch(self) -> None:
        async with self.turns.together():
            await self._work("batch")

    async def lone(self) -> None:
        async with self.turns.alone():
            await self._work("lone")


async def test_batches_go_side_by_side_and_what_is_alone_is_alone() -> None:
    seen = Seen(Turns(2))
    async with asyncio.timeout(20):
        await asyncio.gather(*(work() for _ in range(50) for work in (seen.batch, seen.lone, seen.batch)))
    assert seen.sights == {("batch",), ("batch", "batch"), ("lone",)}


async def test_one_who_gave_up_asking_leaves_every_place_free() -> None:
    turns = Turns(2)
    async with turns.together():
        asking = asyncio.create_task(Seen(turns).lone())
        await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait([asking])
    async with asyncio.timeout(20):
        await Seen(turns).lone()
