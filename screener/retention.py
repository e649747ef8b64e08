"""How long what is held may live: what is older goes, counted and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import redis.asyncio as aioredis
import structlog

from pipeline.audit import AuditLog
from pipeline.dead_letters import DeadLetters, Wanted
from pipeline.keys import Keys
from pipeline.store import store_errors
from screener.metrics import ScreenerMetrics

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lives:
    """Most age of what is held, ms, by Redis's clock; 0: no bound.

    Attributes:
        streams: by name. One with a group is not trimmed by age: somebody has yet to read it.
        dead_letters: of `events:dead_letter`, which nothing else ever trims.
    """

    streams: Mapping[str, int]
    dead_letters: int


class Retention:
    """Ends what is older than it may be. Every screener does it, and each entry goes once."""

    def __init__(self, client: aioredis.Redis, keys: Keys, lives: Lives, metrics: ScreenerMetrics) -> None:
        self._keys = keys
        self._lives = lives
        self._metrics = metrics
        self._trim = client.register_script(files("screener").joinpath("trim_old.lua").read_text())
        self._dead_letters = DeadLetters(client, keys)
        self._audit = AuditLog(client, keys)

    async def enforce(self) -> None:
        """Looks once.

        Raises:
            StoreUnavailable: Redis is away.
        """
        for stream, life_ms in self._lives.streams.items():
            if not life_ms:
                continue
            with store_errors():
                trimmed = int(await self._trim(keys=[stream, self._keys.trimmed], args=[life_ms]))
            self._count(stream, trimmed)
        if self._lives.dead_letters:
            await self._end_dead_letters(self._lives.dead_letters)

    async def _end_dead_letters(self, life_ms: int) -> None:
        letters = self._dead_letters
        old = Wanted(to_ms=await letters.now_ms() - life_ms)
        async for page in letters.pages(old):
            details: dict[str, str | int] = {"chosen": len(page), "older_than_ms": life_ms}
            await self._audit.record("retention", "dead_letters.drop", self._keys.dead_letter, details)
            dropped = sum(handled.done for handled in await letters.drop(page))
            self._count(self._keys.dead_letter, dropped)

    def _count(self, stream: str, ended: int) -> None:
        if ended:
            self._metrics.expired.labels(stream).inc(ended)
            _log.info("entries_expired", stream=stream, entries=ended)
