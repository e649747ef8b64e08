"""When to leave a part alone that answers but does no work, and for how long. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class BreakerState(IntEnum):
    """Whether work goes to the part; the numbers are those of the metric."""

    CLOSED = 0
    HALF_OPEN = 1
    """The rest is over: it is tried, and one failure opens the breaker again."""
    OPEN = 2


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """After how many failures in a row it opens, and for how long: longer each time, up to a bound."""

    failures: int
    first_rest_s: float
    most_rest_s: float


class Breaker:
    """Opens after some failures in a row, for longer each time; the first success closes it."""

    def __init__(self, limits: BreakerLimits) -> None:
        self._limits = limits
        self._failures = 0
        self._rest_s = limits.first_rest_s
        self._open_until = 0.0

    def state(self, now_s: float) -> BreakerState:
        """What holds now."""
        if self._failures < self._limits.failures:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now_s < self._open_until else BreakerState.HALF_OPEN

    def is_open(self, now_s: float) -> bool:
        """Whether the part is left alone; once the rest is over it is tried again."""
        return self.state(now_s) is BreakerState.OPEN

    def succeeded(self) -> None:
        """It has done its work."""
        self._failures, self._rest_s = 0, self._limits.first_rest_s

    def failed(self, now_s: float) -> None:
        """It has not; what was under way when the breaker opened counts for nothing."""
        if self.is_open(now_s):
            return
        self._failures += 1
        if self._failures >= self._limits.failures:
            self._open_until = now_s + self._rest_s
            self._rest_s = min(self._limits.most_rest_s, 2 * self._rest_s)
