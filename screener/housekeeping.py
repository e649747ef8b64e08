"""What every screener does now and then for all of them: trims, forgets who is gone, ends leases."""

from __future__ import annotations

import asyncio
from importlib.resources import files

import redis.asyncio as aioredis
import structlog

from pipeline.errors import StoreUnavailable
from pipeline.keys import Keys
from pipeline.store import store_errors
from screener.lease import Lease
from screener.metrics import ScreenerMetrics
from screener.retention import Retention
from screener.source import Source

_PERIOD_S = 1.0
_REAP_EVERY = 60
_log = structlog.get_logger(__name__)


class Housekeeping:
    """Runs beside the worker; an outage of Redis is waited out."""

    def __init__(
        self,
        client: aioredis.Redis,
        keys: Keys,
        source: Source,
        lease: Lease,
        metrics: ScreenerMetrics,
        *,
        retention: Retention,
        watch_keep_ms: int,
    ) -> None:
        """Takes the parts, and how long a verdict stays that every group has acknowledged."""
        self._trim = client.register_script(files("screener").joinpath("trim_read.lua").read_text())
        self._trim_keys = [keys.reasoning_queue, keys.trimmed]
        self._watch_keep_ms = watch_keep_ms
        self._source = source
        self._lease = lease
        self._metrics = metrics
        self._retention = retention

    async def run(self) -> None:
        """Works until cancelled."""
        rounds = 0
        while True:
            try:
                await self._tidy(reap=rounds % _REAP_EVERY == 0)
            except StoreUnavailable:
                _log.debug("housekeeping_waits")
            rounds += 1
            await asyncio.sleep(_PERIOD_S)

    async def _tidy(self, *, reap: bool) -> None:
        self._metrics.queue_depth.set(await self._source.depth())
        if overdue := await self._lease.sweep():
            self._metrics.spilled.labels("lease").inc(overdue)
            _log.warning("hand_offs_overdue", entries=overdue)
        self._metrics.direct_depth.set(await self._lease.depth())
        with store_errors():
            groups, trimmed = await self._trim(keys=self._trim_keys, args=[self._watch_keep_ms])
        self._metrics.reasoning_groups.set(groups)
        if trimmed:
            _log.debug("reasoning_queue_trimmed", entries=trimmed)
        if reap:
            await self._retention.enforce()
        if reap and (gone := await self._source.reap_consumers()):
            _log.info("consumers_forgotten", consumers=len(gone))
