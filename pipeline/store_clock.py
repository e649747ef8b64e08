"""`StoreClock`: the time by Redis's clock, the one clock of the whole system.

Expiry, entry ids and leases go by Redis's clock anyway. Were other times taken from each host's own, a host
that is an hour late would refuse every event as one from the future, and an event could wait for less than
nothing. So a service asks Redis now and then; between, its monotonic clock carries on, which nobody sets.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import redis.asyncio as aioredis
import structlog

from pipeline.errors import StoreUnavailable
from pipeline.store import store_errors

_PERIOD_S = 10.0
_AWAY_S = 1.0
_TOLD_MS = 5_000
_log = structlog.get_logger(__name__)


class StoreClock:
    """Until Redis has answered for the first time it is this host's clock, as it was at the start."""

    def __init__(
        self,
        client: aioredis.Redis,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Takes Redis and this host's clocks, both in seconds."""
        self._client = client
        self._monotonic = monotonic
        self._wall = wall
        self._ahead_s = wall() - monotonic()
        self._told = False

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return round((self._monotonic() + self._ahead_s) * 1000)

    async def look(self) -> None:
        """Asks Redis.

        Raises:
            StoreUnavailable: it does not answer; what was known before goes on to hold.
        """
        before = self._monotonic()
        with store_errors():
            seconds, micros = await self._client.time()
        midway = (before + self._monotonic()) / 2
        self._ahead_s = seconds + micros / 1e6 - midway
        self._tell()

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            try:
                await self.look()
            except StoreUnavailable:
                await asyncio.sleep(_AWAY_S)
            else:
                await asyncio.sleep(_PERIOD_S)

    def _tell(self) -> None:
        """Says it once where this host's clock is far off: its log lines carry that time."""
        off_ms = round(self._wall() * 1000) - self.now_ms()
        is_off = abs(off_ms) > _TOLD_MS
        if is_off and not self._told:
            _log.warning("clock_differs_from_redis", ahead_ms=off_ms)
        self._told = is_off
