"""Parts that are stopped as their keeper would, with SIGTERM, and started again: a new release rolls out."""

from __future__ import annotations

import asyncio

from scripts.chaos.stage import Stage


async def restart_ingest(stage: Stage) -> None:
    """The one ingest; clients wait for the new one."""
    await stage.restart(stage.system.ingest)


async def restart_screeners(stage: Stage) -> None:
    """One screener after the other, each when the one before it is ready again."""
    for screener in stage.system.screeners:
        await stage.restart(screener)


async def restart_triton(stage: Stage) -> None:
    """The one Triton; events wait."""
    await asyncio.to_thread(stage.system.triton.stop)
    stage.system.triton.start()


async def restart_redis(stage: Stage) -> None:
    """The one Redis; nobody is answered meanwhile."""
    await asyncio.to_thread(stage.system.redis.process.stop)
    stage.system.redis.start()
