"""`Stage`: what a fault may lay hands on, and what it may wait for."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import redis.asyncio as aioredis

from pipeline.errors import StoreUnavailable
from pipeline.store import store_errors
from scripts.chaos.ledger import Ledger
from scripts.chaos.load import Load
from scripts.chaos.proxy import Proxy
from scripts.system.process import has_ended
from scripts.system.services import Service
from scripts.system.system import System
from scripts.system.triton import TritonServer

PATIENCE_S = 90.0
"""After so long nothing is waited for any more: what should have happened is a complaint."""
_LOOK_S = 0.02

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Stage:
    """The system, and the ways to break it.

    Attributes:
        system: the real processes.
        network: between the services and Redis.
        store: a client of Redis that goes past `network`.
        outage_s: how long an outage lasts.
        complaints: promises that were broken, a line each; faults add to it.
        notes: what else is worth telling.
    """

    system: System
    network: Proxy
    store: aioredis.Redis
    load: Load
    ledger: Ledger
    dice: random.Random
    outage_s: float
    complaints: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    async def outage(self) -> None:
        """Lets the outage last."""
        await asyncio.sleep(self.outage_s)

    async def any_moment(self) -> None:
        """Waits until no particular moment."""
        await asyncio.sleep(self.dice.uniform(0.0, 0.5))

    async def until(self, holds: Callable[[], bool], otherwise: str) -> bool:
        """Returns once it holds; False, and a complaint, where it does not within `PATIENCE_S`.

        Meanwhile every part is to run, as `keep` has it.
        """
        give_up = time.monotonic() + PATIENCE_S
        while not holds():
            self.keep()
            if time.monotonic() > give_up:
                self.complaints.append(f"{otherwise} within {PATIENCE_S:g} s")
                return False
            await asyncio.sleep(_LOOK_S)
        return True

    async def until_screened(self, otherwise: str) -> bool:
        """Returns once all that is in by now has its verdict; as `until`."""
        now = time.monotonic()
        return await self.until(lambda: self.ledger.screened(now), otherwise)

    def keep(self) -> None:
        """Starts Triton anew where it has ended by itself, as its keeper would: it is not ours to mend.

        One that was frozen sometimes ends so, with a segmentation fault in its Python backend.

        Raises:
            ProcessDied: another part has ended by itself.
        """
        triton = self.system.triton
        if triton.pid is not None and has_ended(triton.pid):
            self.notes.append(f"Triton ended by itself and was started anew: {self.ledger.during}")
            triton.kill()
            triton.start()
        self.system.check()

    async def ask_redis(self, call: Callable[[aioredis.Redis], Awaitable[Result]]) -> Result:
        """What Redis answers, asked until it does.

        Raises:
            StoreUnavailable: it does not within `PATIENCE_S`.
        """
        give_up = time.monotonic() + PATIENCE_S
        while True:
            try:
                with store_errors():
                    return await call(self.store)
            except StoreUnavailable:
                if time.monotonic() > give_up:
                    raise
            await asyncio.sleep(_LOOK_S)

    async def configure_redis(self, name: str, value: str) -> None:
        """CONFIG SET."""
        await self.ask_redis(lambda store: store.config_set(name, value))

    async def restart(self, service: Service) -> None:
        """Ends a service as its keeper would, with SIGTERM, and returns when the new one is ready."""
        if not await asyncio.to_thread(service.stop):
            self.complaints.append(f"{self.ledger.during}: {service.process.name} did not end on SIGTERM")
        service.start()  # not in a thread: the kernel ties the child's life to the one that starts it
        await self.until_ready(service)

    async def until_ready(self, *parts: Service | TritonServer) -> None:
        """Returns once all of them are ready; a complaint where they are not within `PATIENCE_S`.

        Raises:
            ProcessDied: as `keep`.
        """
        give_up = time.monotonic() + PATIENCE_S
        # Asked anew and not waited for in the thread, for a Ctrl-C waits for the thread.
        while not all([await asyncio.to_thread(part.is_ready) for part in parts]):
            self.keep()
            if time.monotonic() > give_up:
                self.complaints.append(f"{self.ledger.during}: not ready within {PATIENCE_S:g} s")
                return
            await asyncio.sleep(_LOOK_S)
