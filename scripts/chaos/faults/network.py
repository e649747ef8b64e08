"""A network between the services and Redis that is slow or loses things."""

from __future__ import annotations

import asyncio

from scripts.chaos.stage import Stage

_DELAY_S = 0.2
_CUTS = 5


async def slow(stage: Stage) -> None:
    """Every call to Redis takes 200 ms longer."""
    stage.network.delay(_DELAY_S)
    try:
        await stage.outage()
    finally:
        stage.network.heal()


async def cut(stage: Stage) -> None:
    """All connections to Redis are cut, again and again, in the middle of whatever they carry."""
    for _ in range(_CUTS):
        stage.network.cut()
        await asyncio.sleep(stage.dice.uniform(0.0, 2 * stage.outage_s / _CUTS))


async def lose_answers(stage: Stage) -> None:
    """Redis does what it is asked, and nobody hears of it."""
    stage.network.lose_answers()
    try:
        await stage.outage()
    finally:
        stage.network.heal()
