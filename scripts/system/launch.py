"""Becomes another program that dies with its parent: `python launch.py PARENT_PID PROGRAM [ARGUMENT...]`.

A separate program because the alternative, code between fork and exec (`preexec_fn`), can deadlock in a
process with threads, and Python warns of it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h; kept across exec


def main(parent: int, command: list[str]) -> None:
    """Asks the kernel for SIGTERM at the parent's death, then runs `command` in this process."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel knew
        sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606  # no shell is what is wanted
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
