from __future__ import annotations

import asyncio

from pipeline.readiness import Readiness


class Part:
    """A part that is there, away, broken or silent."""

    def __init__(self) -> None:
        self.there = True
        self.fails_with: Exception | None = None
        self.waits_s = 0.0

    async def check(self) -> bool:
        await asyncio.sleep(self.waits_s)
        if self.fails_with:
            raise self.fails_with
        return self.there


async def test_nothing_is_ready_before_it_was_asked() -> None:
    readiness = Readiness({"redis": Part().check}, timeout_s=1)
    assert not readiness.ready
    assert readiness.parts == {"redis": False}


async def test_is_ready_when_every_part_is() -> None:
    redis, model = Part(), Part()
    readiness = Readiness({"redis": redis.check, "model": model.check}, timeout_s=1)
    assert await readiness.refresh()
    model.there = False
    assert not await readiness.refresh()
    assert readiness.parts == {"redis": True, "model": False}
    model.there = True
    assert await readiness.refresh()


async def test_a_part_that_fails_is_away() -> None:
    part = Part()
    part.fails_with = RuntimeError("whatever")
    assert not await Readiness({"redis": part.check}, timeout_s=1).refresh()


async def test_a_part_that_does_not_answer_in_time_is_away_and_holds_up_no_other() -> None:
    silent, fine = Part(), Part()
    silent.waits_s = 60
    readiness = Readiness({"model": silent.check, "redis": fine.check}, timeout_s=0.05)
    async with asyncio.timeout(5):
        assert not await readiness.refresh()
    assert readiness.parts == {"model": False, "redis": True}


async def test_is_never_ready_again_once_it_drains() -> None:
    readiness = Readiness({"redis": Part().check}, timeout_s=1)
    await readiness.refresh()
    readiness.draining = True
    assert not readiness.ready
    assert not await readiness.refresh()
