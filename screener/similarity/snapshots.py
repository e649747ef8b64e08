"""`Snapshots`: takes one of the indexes now and then, and restores the newest good one at a start."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from pipeline.position import order
from screener.metrics import ScreenerMetrics
from screener.similarity.snapshot import Snapshot, SnapshotUnreadable
from screener.similarity.snapshot_folder import SnapshotFolder
from screener.similarity.versions import VersionedIndexes

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StreamSpan:
    """What the stream of embeddings holds: its first entry, and the last id that it gave."""

    first: bytes
    last: bytes

    def why_not_from(self, position: bytes) -> str | None:
        """Why the stream cannot be followed from `position` on, so that nothing is missed; None where it can.

        `outrun`: it has been trimmed past it, and alone holds as much as an index remembers.
        `other_stream`: it has not come as far, so it is that of a Redis that lost or never had what we have.
        """
        if _order(position) < _order(self.first):
            return "outrun"
        return "other_stream" if _order(position) > _order(self.last) else None


class Snapshots:
    """Captures between two entries of the stream, and writes beside the event loop."""

    def __init__(
        self,
        folder: SnapshotFolder,
        metrics: ScreenerMetrics,
        *,
        interval_s: float,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._metrics = metrics
        self._interval_s = interval_s
        self._clock_s = clock_s
        self._due_s = clock_s()  # without one to restore, the first is worth having at once
        self._position: bytes = b"0-0"  # of the last one that is on the disk
        self._writing: asyncio.Task[None] | None = None

    async def restore(self, indexes: VersionedIndexes, span: StreamSpan) -> bytes | None:
        """Restores the newest snapshot that can be read and that the stream goes on from.

        Returns:
            The position that the indexes are at now; None where there is no such snapshot.
        """
        for path in await asyncio.to_thread(self._folder.newest_first):
            began_s = self._clock_s()
            snapshot = await self._read(path, span)
            if snapshot is None:
                continue
            await indexes.restore(snapshot.indexes)
            self._position = snapshot.position
            self._due_s = self._clock_s() + self._interval_s
            self._metrics.snapshots_read.labels("restored").inc()
            _log.info(
                "snapshot_restored",
                snapshot=path.name,
                versions=[version for version, _ in snapshot.indexes],
                events=len(indexes),
                seconds=round(self._clock_s() - began_s, 3),
            )
            return snapshot.position
        return None

    async def take_if_due(self, position: bytes, indexes: VersionedIndexes) -> None:
        """Takes a snapshot of indexes that hold the stream up to `position`, and begins to write it.

        Not before the interval is over, nor while one is being written, nor without news.
        """
        if self._writing is not None:
            if not self._writing.done():
                return
            self._writing.result()
            self._writing = None
        if self._clock_s() < self._due_s or position == self._position:
            return
        snapshot = Snapshot(position, await indexes.capture())
        self._due_s = self._clock_s() + self._interval_s
        self._writing = asyncio.create_task(self._write(snapshot))

    async def written(self) -> None:
        """Waits until the snapshot that was taken last is written, or has failed."""
        if self._writing is not None:
            await asyncio.shield(self._writing)

    async def _read(self, path: Path, span: StreamSpan) -> Snapshot | None:
        try:
            snapshot = await asyncio.to_thread(self._folder.read, path)
        except SnapshotUnreadable as error:
            reason = error.reason
        except OSError:
            reason = "disk"
        else:
            reason = span.why_not_from(snapshot.position) or ""
            if not reason:
                return snapshot
        self._metrics.snapshots_read.labels(reason).inc()
        _log.warning("snapshot_not_read", snapshot=path.name, reason=reason)
        return None

    async def _write(self, snapshot: Snapshot) -> None:
        began_s = self._clock_s()
        try:
            written = await asyncio.to_thread(self._folder.save, snapshot)
        except OSError as error:
            self._metrics.snapshots_written.labels("failed").inc()
            _log.warning("snapshot_not_written", reason=errno.errorcode.get(error.errno or 0, "unknown"))
            return
        self._metrics.snapshots_written.labels("written" if written else "another_writes").inc()
        if written:
            self._position = snapshot.position
            _log.info(
                "snapshot_written",
                position=snapshot.position.decode(),
                seconds=round(self._clock_s() - began_s, 3),
            )


def _order(entry_id: bytes) -> tuple[int, int]:
    return order(entry_id.decode())
