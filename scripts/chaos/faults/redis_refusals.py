"""A Redis that answers, and refuses to write."""

from __future__ import annotations

import asyncio

from scripts.chaos.stage import Stage


async def out_of_memory(stage: Stage) -> None:
    """Redis has no memory for anything new; what is in is screened and published all the same."""
    await stage.configure_redis("maxmemory", "1")
    try:
        await asyncio.gather(
            stage.outage(), stage.until_screened("Redis out of memory: what was in was not screened")
        )
    finally:
        await stage.configure_redis("maxmemory", "0")


async def read_only(stage: Stage) -> None:
    """Redis takes no write, as one does that has lost its replicas."""
    await stage.configure_redis("min-replicas-to-write", "1")
    try:
        await stage.outage()
    finally:
        await stage.configure_redis("min-replicas-to-write", "0")
