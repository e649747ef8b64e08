"""Parts that stop without dying (SIGSTOP): their connections stay, and nothing answers."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from pipeline.keys import GROUP, ONLY
from scripts.chaos.stage import Stage
from scripts.system.services import Service

_TRIES = 200


async def freeze_screener(stage: Stage) -> None:
    """A screener stops with entries in hand, and wakes up when another has screened all of them."""
    frozen = stage.dice.choice(stage.system.screeners)
    try:
        await _stop_with_entries(stage, frozen)
        await stage.outage()  # in which more is handed over to it, where events go directly
        await stage.until_screened("what a frozen screener had was not screened by another")
    finally:
        frozen.process.send_signal(signal.SIGCONT)


async def freeze_triton(stage: Stage) -> None:
    """Triton accepts calls and never answers."""
    stage.system.triton.send_signal(signal.SIGSTOP)
    try:
        await stage.outage()
    finally:
        stage.system.triton.send_signal(signal.SIGCONT)


async def freeze_redis(stage: Stage) -> None:
    """Redis accepts connections and never answers."""
    stage.system.redis.process.send_signal(signal.SIGSTOP)
    try:
        await stage.outage()
    finally:
        stage.system.redis.process.send_signal(signal.SIGCONT)


async def _stop_with_entries(stage: Stage, screener: Service) -> None:
    for _ in range(_TRIES):
        await asyncio.sleep(stage.dice.uniform(0.0, 0.1))
        screener.process.send_signal(signal.SIGSTOP)
        if await _has_entries(stage, screener.process.pid):
            return
        screener.process.send_signal(signal.SIGCONT)
    stage.complaints.append("no screener was ever seen with an entry in hand")


async def _has_entries(stage: Stage, pid: int) -> bool:
    """Whether the process has entries of the queue, or may have some that were handed over."""
    if await stage.ask_redis(lambda store: store.xlen(ONLY.direct)):
        return True
    consumers: list[dict[str, Any]] = await stage.ask_redis(
        lambda store: store.xinfo_consumers(ONLY.raw, GROUP)
    )
    return any(each["pending"] and f"-{pid}-".encode() in each["name"] for each in consumers)
