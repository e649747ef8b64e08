"""Parts that die: `kill -9` at any moment, and a new start on the same ports and data."""

from __future__ import annotations

from scripts.chaos.stage import Stage


async def kill_ingest(stage: Stage) -> None:
    """Ingest dies."""
    await stage.any_moment()
    stage.system.ingest.process.kill()
    stage.system.ingest.start()


async def kill_screener(stage: Stage) -> None:
    """One of the screeners dies; the other takes over what it had."""
    screener = stage.dice.choice(stage.system.screeners)
    await stage.any_moment()
    screener.process.kill()
    screener.start()


async def screeners_away(stage: Stage) -> None:
    """All screeners die, and stay away; ingest goes on accepting, either way."""
    await stage.any_moment()
    for screener in stage.system.screeners:
        screener.process.kill()
    before = stage.ledger.accepted
    await stage.outage()
    if stage.ledger.accepted == before:
        stage.complaints.append("without screeners ingest accepted nothing")
    for screener in stage.system.screeners:
        screener.start()


async def kill_triton(stage: Stage) -> None:
    """Triton dies, and what it started."""
    await stage.any_moment()
    stage.system.triton.kill()
    stage.system.triton.start()


async def kill_redis(stage: Stage) -> None:
    """Redis dies, and comes back at once with its data."""
    await stage.any_moment()
    stage.system.redis.process.kill()
    stage.system.redis.start()


async def redis_away(stage: Stage) -> None:
    """Redis dies, and stays away."""
    await stage.any_moment()
    stage.system.redis.process.kill()
    await stage.outage()
    stage.system.redis.start()
