"""Following the verdicts while everything breaks."""

from __future__ import annotations

import asyncio

from pipeline.errors import StoreUnavailable
from scripts.chaos.ledger import Ledger
from scripts.drive.watcher import Watcher

_PAUSE_S = 0.05


async def follow(watcher: Watcher, ledger: Ledger) -> None:
    """Notes every verdict and dead letter until cancelled; a Redis that is away is asked again."""
    while True:
        try:
            for entry in await watcher.read():
                ledger.seen(entry.event_id)
                if entry.verdict is not None:
                    ledger.waited(entry.event_id, entry.verdict.timings.queue_ms)
        except StoreUnavailable:
            await asyncio.sleep(_PAUSE_S)
