"""Runs a service whose wall clock can be set: `python -m scripts.chaos.stepping ingest`.

SIGUSR1 sets it an hour ahead, SIGUSR2 an hour back, SIGVTALRM right. Its monotonic clock goes on as ever.
"""

from __future__ import annotations

import runpy
import signal
import sys
import time
from types import FrameType

AHEAD, BACK, RIGHT = signal.SIGUSR1, signal.SIGUSR2, signal.SIGVTALRM
_AHEAD_S = {AHEAD: 3_600, BACK: -3_600, RIGHT: 0}


class _Clock:
    """Stands in for `time.time` and `time.time_ns`."""

    def __init__(self) -> None:
        self._time, self._time_ns = time.time, time.time_ns
        self._ahead_s = 0

    def time(self) -> float:
        """Seconds since the epoch, as the clock was set."""
        return self._time() + self._ahead_s

    def time_ns(self) -> int:
        """Nanoseconds since the epoch, as the clock was set."""
        return self._time_ns() + self._ahead_s * 10**9

    def step(self, number: int, _: FrameType | None) -> None:
        """The handler of the signals."""
        self._ahead_s = _AHEAD_S[signal.Signals(number)]


def main(service: str) -> None:
    """Becomes the service."""
    clock = _Clock()
    time.time, time.time_ns = clock.time, clock.time_ns
    for number in _AHEAD_S:
        signal.signal(number, clock.step)
    runpy.run_module(service, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
