"""How much of the processor processes use: on a shared machine it compares when the clock does not."""

from __future__ import annotations

import os
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def processor_s(pid: int) -> float:
    """Seconds of processor that a process has used, and those that it started: in user and kernel, by now.

    Children that have ended count once the process has taken their status.

    Raises:
        OSError: there is no such process.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(int(ticks) for ticks in fields[11:15]) * _TICK_S  # utime, stime, cutime, cstime
    return own + sum(_of_child(child) for child in children(pid))


def children(pid: int) -> list[int]:
    """The processes that a process has started, and that live."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _of_child(pid: int) -> float:
    try:
        return processor_s(pid)
    except FileNotFoundError:  # ended meanwhile
        return 0.0
