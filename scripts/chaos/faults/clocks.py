"""Clocks of hosts that are set while the services run."""

from __future__ import annotations

import asyncio

from scripts.chaos.stage import Stage
from scripts.chaos.stepping import AHEAD, BACK, RIGHT


async def step(stage: Stage) -> None:
    """Each service's clock is set an hour ahead or back, then as far to the other side, and then right."""
    services = (stage.system.ingest, *stage.system.screeners)
    ways = {service: stage.dice.sample((AHEAD, BACK), 2) for service in services}
    for at in range(2):
        for service, way in ways.items():
            service.process.send_signal(way[at])
        await asyncio.sleep(stage.outage_s / 2)
    for service in services:
        service.process.send_signal(RIGHT)
