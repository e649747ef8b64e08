"""Calls that are refused for their key: counted each, and logged at most one a second."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from pipeline.errors import Forbidden, Unauthenticated
from pipeline.key_metrics import KeyMetrics

_LOG_PERIOD_S = 1.0  # whoever tries keys by the thousand shall not fill a disk
_log = structlog.get_logger(__name__)


class Refusals:
    """Notes refused calls by what they wanted and the name of their key, never the key."""

    def __init__(self, metrics: KeyMetrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._clock = clock
        self._logged_s = -_LOG_PERIOD_S
        self._unlogged = 0

    def note(self, error: Unauthenticated | Forbidden, door: str, at: str) -> None:
        """Notes one.

        Args:
            error: why it was refused.
            door: grpc or http.
            at: the full name of the method or the path of the route, of one that exists or `other`.
        """
        reason = error.reason if isinstance(error, Unauthenticated) else "scope"
        self._metrics.refused.labels(door, reason).inc()
        now_s = self._clock()
        if now_s - self._logged_s < _LOG_PERIOD_S:
            self._unlogged += 1
            return
        key = error.key if isinstance(error, Forbidden) else ""
        _log.warning("call_refused", at=at, reason=reason, key=key, unlogged=self._unlogged)
        self._logged_s, self._unlogged = now_s, 0
