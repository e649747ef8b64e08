"""How much memory processes take while something goes on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from pipeline.tasks import end

_SAMPLE_S = 0.2
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_mb(pid: int) -> float:
    """What a process holds in memory now, in MB of 10^6 bytes.

    Raises:
        OSError: there is no such process.
    """
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * _PAGE_BYTES / 1e6


@asynccontextmanager
async def peaks(pids: Mapping[str, int]) -> AsyncIterator[dict[str, float]]:
    """Within the block, the most that each process has held, by its name, looked at five times a second."""
    most = {name: resident_mb(pid) for name, pid in pids.items()}

    async def sample() -> None:
        while True:
            await asyncio.sleep(_SAMPLE_S)
            for name, pid in pids.items():
                most[name] = max(most[name], resident_mb(pid))

    sampling = asyncio.create_task(sample())
    try:
        yield most
        if sampling.done():
            sampling.result()
    finally:
        await end([sampling])
