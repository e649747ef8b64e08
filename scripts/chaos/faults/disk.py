"""A disk that is full."""

from __future__ import annotations

import asyncio
import resource
import stat
import time
from contextlib import suppress
from pathlib import Path

from scripts.chaos.stage import PATIENCE_S, Stage
from scripts.system.process import has_ended

_ROOM = 4096
_LOOK_S = 0.02


async def redis_full(stage: Stage) -> None:
    """Redis cannot write its file any more: it confirms nothing that is not on disk, and ends.

    Its keeper starts it again when there is room.
    """
    process = stage.system.redis.process
    await stage.any_moment()
    # A limit on the size of files, of this process alone: no disk has to be filled for it.
    _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (_largest_file(process.pid) + _ROOM, most))
    give_up = time.monotonic() + PATIENCE_S
    while not has_ended(process.pid):
        if time.monotonic() > give_up:
            stage.complaints.append("Redis with a full disk went on, as if it were not")
            break
        await asyncio.sleep(_LOOK_S)
    await stage.outage()
    process.kill()
    process.start()


def _largest_file(pid: int) -> int:
    """Bytes of the largest file that the process has open."""
    sizes = [0]
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            found = descriptor.stat()
            if stat.S_ISREG(found.st_mode):
                sizes.append(found.st_size)
    return max(sizes)
