"""When to leave a screener alone that answers but does no work, and for how long. Pure."""

from __future__ import annotations

_FAILURES = 3
_FIRST_REST_S, _MOST_REST_S = 0.2, 5.0


class Breaker:
    """Opens after some failures in a row, for longer each time; the first success closes it.

    Without it the screener that refuses at once would look the least busy, and draw every event.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._rest_s = _FIRST_REST_S
        self._open_until = 0.0

    def is_open(self, now_s: float) -> bool:
        """Whether the screener is left alone; once the rest is over it is tried again."""
        return now_s < self._open_until

    def succeeded(self) -> None:
        """It has done its work."""
        self._failures, self._rest_s, self._open_until = 0, _FIRST_REST_S, 0.0

    def failed(self, now_s: float) -> None:
        """It has not; what was under way when the breaker opened counts for nothing."""
        if self.is_open(now_s):
            return
        self._failures += 1
        if self._failures >= _FAILURES:
            self._open_until = now_s + self._rest_s
            self._rest_s = min(_MOST_REST_S, 2 * self._rest_s)
