"""A real screener whose disk is full, and one that finds its newest snapshot damaged."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import redis.asyncio as aioredis

from pipeline.keys import ONLY
from pipeline.store import connect
from scripts.system.system import Part, System
from tests.screener.similarity.test_index import seen, unit_vectors

TEXTS = 200
PATIENCE_S = 200  # a screener on a busy machine takes its time to start
FULL_AT_BYTES = 64 * 1024  # the log is shorter, the snapshot of some texts longer


def said(system: System) -> list[dict[str, object]]:
    """What the screener has logged, since its first start."""
    lines = system.screener.process.log.read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.1)


async def load(store: aioredis.Redis) -> None:
    """Vectors as other screeners append them, without end."""
    vectors = unit_vectors(TEXTS)
    number = 0
    while True:
        text = number % TEXTS
        event = seen(number, vectors[text], text=text.to_bytes(16, "big"))
        event = event._replace(seen_at_ms=time.time_ns() // 1_000_000)  # else it is too old to be kept
        await store.xadd(ONLY.embeddings, event.encode())  # type: ignore[arg-type]
        number += 1
        await asyncio.sleep(0.005)


async def test_a_full_disk_and_a_damaged_snapshot_under_load(tmp_path: Path) -> None:
    """Needs no Triton: the index is fed and restored without."""
    settings = {"SNAPSHOT_DIR": str(tmp_path), "SNAPSHOT_INTERVAL_SECONDS": "1", "LOG_LEVEL": "INFO"}

    def logged(event: str) -> list[dict[str, object]]:
        return [line for line in said(system) if line["event"] == event]

    def snapshots() -> list[Path]:
        return sorted(tmp_path.glob("*.snapshot"))

    with System(parts=frozenset({Part.REDIS}), settings=settings) as system:
        store = connect(system.redis_url, timeout_ms=5_000)
        loading = asyncio.create_task(load(store))
        try:
            await until(lambda: not loading.done() and system.redis.process.running)
            system.screener.start()
            await until(
                lambda: len(logged("snapshot_written")) >= 2 and snapshots()[-1].stat().st_size > 10**5
            )

            limits = resource.prlimit(system.screener.process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(
                system.screener.process.pid, resource.RLIMIT_FSIZE, (FULL_AT_BYTES, resource.RLIM_INFINITY)
            )
            kept = snapshots()
            await until(lambda: bool(logged("snapshot_not_written")))
            assert logged("snapshot_not_written")[0]["reason"] == "EFBIG"
            assert set(kept) & set(snapshots())
            resource.prlimit(system.screener.process.pid, resource.RLIMIT_FSIZE, limits)
            before = len(logged("snapshot_written"))
            await until(lambda: len(logged("snapshot_written")) >= before + 2)

            os.kill(system.screener.process.pid, signal.SIGKILL)
            await until(lambda: not system.screener.process.running)
            older, newest = snapshots()
            damaged = bytearray(newest.read_bytes())
            damaged[len(damaged) // 2] ^= 1
            newest.write_bytes(damaged)
            system.screener.start()
            await until(lambda: bool(logged("snapshot_restored")))
            [not_read], [restored] = logged("snapshot_not_read"), logged("snapshot_restored")
            assert (not_read["snapshot"], not_read["reason"]) == (newest.name, "damaged")
            assert (restored["snapshot"], restored["events"]) == (older.name, TEXTS)
            assert not loading.done()
        finally:
            loading.cancel()
            system.screener.stop()
            await store.aclose()
