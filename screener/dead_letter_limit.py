"""`DeadLetterLimit`: when giving entries up has to stop. Pure.

One entry that fails is poison. When all do, the fault is ours: a bad release would empty the queue into the
dead letters. So past a share or a rate no more are given up, until somebody or a probe says go on.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from pipeline.errors import SeawallError

_MINUTE_S = 60.0


class DeadLetteringStopped(SeawallError):
    """The limit is reached; the message says how."""


@dataclass(frozen=True, slots=True)
class DeadLetterBounds:
    """How much may be given up; see the settings of the same names, with `dead_letter_` before them.

    Attributes:
        max_share: of the last `share_of` entries that this process ended, 0..1.
        share_of: how many that are.
        min_count: from how many dead letters among them on the share counts.
        max_per_minute: whatever their share.
    """

    max_share: float
    share_of: int
    min_count: int
    max_per_minute: int


class DeadLetterLimit:
    """Counts what one process ends, with a verdict or as a dead letter."""

    def __init__(self, bounds: DeadLetterBounds) -> None:
        self._bounds = bounds
        self._given_up: deque[bool] = deque(maxlen=bounds.share_of)
        self._times: deque[float] = deque(maxlen=bounds.max_per_minute)
        self._reached = ""

    @property
    def reached(self) -> str:
        """How it was reached, in words without content; empty while it is not."""
        return self._reached

    def passed(self, entries: int) -> None:
        """Counts entries that got their verdict."""
        self._given_up.extend([False] * entries)

    def allows(self, *, now_s: float) -> bool:
        """Whether one more may be given up; counts it where it may.

        Args:
            now_s: a clock that never steps, in seconds.
        """
        self._reached = self._reached or self._past(now_s)
        if self._reached:
            return False
        self._given_up.append(True)
        self._times.append(now_s)
        return True

    def tolerates(self, failed: int, *, of: int) -> bool:
        """Whether a probe with so many failures is good enough to go on."""
        return failed <= self._bounds.max_share * of

    def go_on(self) -> None:
        """Begins to count anew."""
        self._reached = ""
        self._given_up.clear()
        self._times.clear()

    def _past(self, now_s: float) -> str:
        bounds = self._bounds
        last = [*self._given_up, True][-bounds.share_of :]
        count, of = sum(last), len(last)
        if count >= bounds.min_count and count > bounds.max_share * of:
            return f"{count} of the last {of} entries would be dead letters, more than {bounds.max_share:.0%}"
        full = len(self._times) == bounds.max_per_minute
        if full and now_s - self._times[0] < _MINUTE_S:
            return f"more than {bounds.max_per_minute} dead letters in a minute"
        return ""
