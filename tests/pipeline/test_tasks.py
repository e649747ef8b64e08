from __future__ import annotations

import asyncio
import contextlib

from pipeline.tasks import end


async def test_ends_a_task_that_loses_its_first_cancellation() -> None:
    async def stubborn() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await asyncio.wait_for(end([task]), 10)
    assert task.cancelled()


async def test_drops_what_a_task_raises() -> None:
    async def fails() -> None:
        raise ValueError("no matter")

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    await end([task])
    assert isinstance(task.exception(), ValueError)
