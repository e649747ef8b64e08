"""`Patience`: waits for a part that is away, but never past the word to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from pipeline.errors import StoreUnavailable
from screener.metrics import ScreenerMetrics

_FIRST_WAIT_S, _MOST_WAIT_S = 0.1, 1.0
_LOOK_S = 0.5

Result = TypeVar("Result")
_log = structlog.get_logger(__name__)


def longer(wait_s: float = 0.0) -> float:
    """The wait after one of `wait_s`, in seconds."""
    return min(_MOST_WAIT_S, wait_s * 2) or _FIRST_WAIT_S


class Patience:
    """What all loops of a worker share."""

    def __init__(self, metrics: ScreenerMetrics) -> None:
        self._metrics = metrics
        self._stopping = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether the worker is to stop."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Ends every wait."""
        self._stopping.set()

    async def pause(self, seconds: float) -> bool:
        """Waits; answers whether the worker is to stop."""
        if not self.stopping:  # wait_for does not see it where there is nothing to wait
            try:
                await asyncio.wait_for(self._stopping.wait(), seconds)
            except TimeoutError:
                return False
        return True

    async def for_redis(self, call: Callable[[], Awaitable[Result]]) -> Result | None:
        """The result, however long Redis is away; None when stopping meanwhile."""
        wait_s = longer()
        while True:
            try:
                return await call()
            except StoreUnavailable:
                self._metrics.held.labels("redis").inc()
                _log.warning("waiting_for_redis", wait_s=wait_s)
            if await self.pause(wait_s):
                return None
            wait_s = longer(wait_s)

    async def until_ready(self, model_ready: Callable[[], Awaitable[bool]]) -> bool:
        """Returns once the model is ready; False when stopping meanwhile."""
        while not await model_ready():
            self._metrics.held.labels("model").inc()
            if await self.pause(_LOOK_S):
                return False
        return True

    def model_away(self, error: Exception, wait_s: float) -> None:
        """Tells that the model is waited for."""
        self._metrics.held.labels("model").inc()
        _log.warning("waiting_for_model", exc_type=type(error).__name__, wait_s=wait_s)
