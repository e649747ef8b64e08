"""Quotas of API keys: a token bucket for each name, counted by the event."""

from __future__ import annotations

import time
from collections.abc import Callable

from pipeline.auth import Caller, Quota, current_caller
from pipeline.errors import QuotaExceeded
from pipeline.key_metrics import KeyMetrics


class TokenBucket:
    """What is left of a quota: full at first, and filled by its rate; time is an argument, in seconds."""

    def __init__(self, quota: Quota, now_s: float) -> None:
        self._tokens = float(quota.burst)
        self._at_s = now_s

    def take(self, wanted: int, quota: Quota, now_s: float) -> int:
        """Takes tokens for `wanted` events, as far as there are any; how many it gave.

        The quota is that of now: a change of it counts from the next event on.
        """
        gained = (now_s - self._at_s) * quota.events_per_second
        self._tokens = min(float(quota.burst), self._tokens + gained)
        self._at_s = now_s
        given = min(wanted, int(self._tokens))
        self._tokens -= given
        return given

    def delay_s(self, number: int, quota: Quota) -> float:
        """How long until there is a token for the `number`-th event from now on, counted from 1."""
        return max(0.0, number - self._tokens) / quota.events_per_second


class Quotas:
    """The quotas of all callers of one process; the names are the operator's, so they are few."""

    def __init__(
        self, metrics: KeyMetrics | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._buckets: dict[str, TokenBucket] = {}

    def spend(self) -> None:
        """Counts one event of the current caller.

        Raises:
            QuotaExceeded: it is one too many.
        """
        if (caller := current_caller()).quota is None:  # the usual case
            self._count(caller, given=1, refused=0)
            return
        for refusal in self.spend_on(1):
            raise refusal

    def spend_on(self, events: int) -> list[QuotaExceeded]:
        """Counts events of the current caller; the refusals of the last ones, where they are too many.

        Each refusal tells when there is room for its own event, so that they do not all come back at once.
        """
        caller = current_caller()
        quota = caller.quota
        given = events
        refusals = []
        if quota is not None:
            bucket, given = self._take(caller, quota, events)
            refusals = [
                QuotaExceeded(
                    key=caller.name,
                    limit=f"{quota.events_per_second:g} events per second, {quota.burst} at once",
                    retry_after_s=bucket.delay_s(number, quota),
                )
                for number in range(1, events - given + 1)
            ]
        self._count(caller, given=given, refused=len(refusals))
        return refusals

    def _count(self, caller: Caller, *, given: int, refused: int) -> None:
        if self._metrics is None:
            return
        within, over = self._metrics.events_of(caller.name)
        within.inc(given)
        if refused:
            over.inc(refused)

    def _take(self, caller: Caller, quota: Quota, events: int) -> tuple[TokenBucket, int]:
        now_s = self._clock()
        bucket = self._buckets.get(caller.name)
        if bucket is None:
            bucket = self._buckets[caller.name] = TokenBucket(quota, now_s)
        return bucket, bucket.take(events, quota, now_s)
