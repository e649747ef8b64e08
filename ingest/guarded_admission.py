"""`GuardedAdmission`: refuses at once while Redis keeps callers waiting for nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from pipeline.admission import AdmissionReport, Candidate
from pipeline.breaker import Breaker, BreakerLimits, BreakerState
from pipeline.errors import StoreUnavailable

_SLOW_S = 0.5
"""A failure that comes sooner keeps nobody waiting, and tells who comes again when Redis is back."""

_LIMITS = BreakerLimits(failures=1, first_rest_s=0.1, most_rest_s=1.0)
_log = structlog.get_logger(__name__)


class Admits(Protocol):
    """Admission, as its guard sees it."""

    async def admit(self, candidates: Sequence[Candidate]) -> AdmissionReport:
        """Decides and appends a batch, all or nothing; may raise StoreUnavailable."""


class GuardedAdmission:
    """Behind a Redis that hangs, calls would wait in turns, each longer than the one before it.

    So one that has waited for nothing opens the breaker; after each rest one batch is tried, and the others
    are refused until it has its answer.
    """

    def __init__(self, admission: Admits, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Takes the admission, and a clock in seconds."""
        self._admission = admission
        self._clock = clock
        self._breaker = Breaker(_LIMITS)
        self._trying = False

    async def admit(self, candidates: Sequence[Candidate]) -> AdmissionReport:
        """As `Admission.admit`.

        Raises:
            StoreUnavailable: as there, or at once while the breaker is open.
        """
        state = self._breaker.state(self._clock())
        if state is BreakerState.CLOSED:
            return await self._admit(candidates)
        if state is BreakerState.OPEN or self._trying:
            raise StoreUnavailable("Redis does not answer")
        self._trying = True
        try:
            return await self._admit(candidates)
        finally:
            self._trying = False

    async def _admit(self, candidates: Sequence[Candidate]) -> AdmissionReport:
        began = self._clock()
        try:
            report = await self._admission.admit(candidates)
        except StoreUnavailable:
            self._failed(self._clock(), waited_s=self._clock() - began)
            raise
        self._breaker.succeeded()
        return report

    def _failed(self, now_s: float, *, waited_s: float) -> None:
        if waited_s < _SLOW_S:
            self._breaker.succeeded()
            return
        if self._breaker.state(now_s) is BreakerState.CLOSED:
            _log.warning("admission_breaker_opened", waited_s=round(waited_s, 1))
        self._breaker.failed(now_s)
