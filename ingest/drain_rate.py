"""How fast the queue drains, and so how long a refused caller should wait. Pure."""

from __future__ import annotations

_SMOOTHING = 0.2
_MIN_DELAY_S, _MAX_DELAY_S, _UNKNOWN_DELAY_S = 0.1, 30.0, 1.0


class DrainRate:
    """An exponentially smoothed rate, from the depths that admissions report."""

    def __init__(self, *, period_s: float = 0.25) -> None:
        """Takes the shortest time between two samples; what falls in between is added up."""
        self._period_s = period_s
        self._rate: float | None = None
        self._sampled_at_s: float | None = None
        self._depth = 0
        self._accepted = 0

    def observe(self, *, depth: int, accepted: int, now_s: float) -> None:
        """Learns that the queue had `depth` entries after `accepted` of ours were added."""
        self._accepted += accepted
        if self._sampled_at_s is None:
            self._sampled_at_s, self._depth, self._accepted = now_s, depth, 0
            return
        elapsed_s = now_s - self._sampled_at_s
        if elapsed_s < self._period_s:
            return
        rate = max(0.0, (self._depth + self._accepted - depth) / elapsed_s)
        self._rate = rate if self._rate is None else self._rate + _SMOOTHING * (rate - self._rate)
        self._sampled_at_s, self._depth, self._accepted = now_s, depth, 0

    def delay_s(self, *, depth: int, limit: int) -> float:
        """Seconds until a queue of `depth` is a tenth below `limit`: 0.1 to 30, or 1 while nothing drains."""
        if not self._rate:
            return _UNKNOWN_DELAY_S
        excess = max(1.0, depth - 0.9 * limit)
        return min(_MAX_DELAY_S, max(_MIN_DELAY_S, excess / self._rate))
