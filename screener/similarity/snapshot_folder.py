"""`SnapshotFolder`: where snapshots lie, the last two of them, each whole or not there at all."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.position import order
from screener.similarity.snapshot import Snapshot, decode, encode

KEPT = 2
"""Where the newest cannot be read, the one before can."""

_SUFFIX = ".snapshot"
_UNFINISHED = "unfinished"
_LOCK = "lock"


class SnapshotFolder:
    """One folder, which the screeners of a host may share, for all have seen the same: one writes at a time.

    Its calls block on the disk. It is for its owner alone, and so are its files.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def newest_first(self) -> list[Path]:
        """The snapshots that there are; none where there is no folder."""
        # A name is as long as any other and begins with the position, so names are ordered as positions are.
        return sorted(self._path.glob(f"*{_SUFFIX}"), reverse=True)

    def read(self, path: Path) -> Snapshot:
        """Reads a snapshot, all of it into memory.

        Raises:
            SnapshotUnreadable: it is damaged, of another release, or of another model.
            OSError: the disk fails, or the file has just been replaced.
        """
        return decode(memoryview(path.read_bytes()))

    def save(self, snapshot: Snapshot) -> bool:
        """Writes a snapshot, durably, and removes those that are not among the last `KEPT`.

        Until it is whole it has another name. Whatever happens meanwhile, those that were there stay.

        Returns:
            False where another process writes one now, so that this one is not needed.

        Raises:
            OSError: it could not be written: the disk is full, or fails.
        """
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked() as locked:
            if not locked:
                return False
            milliseconds, number = order(snapshot.position.decode())
            path = self._path / f"{milliseconds:020}-{number:020}{_SUFFIX}"
            self._write(snapshot, path)
            # What is newer belongs to a stream that is no more, or to a screener that was quicker.
            others = [other for other in self.newest_first() if other != path]
            older = [other for other in others if other.name < path.name]
            for other in set(others) - set(older[: KEPT - 1]):
                other.unlink(missing_ok=True)
        return True

    def _write(self, snapshot: Snapshot, path: Path) -> None:
        unfinished = self._path / _UNFINISHED  # one name: what a killed process left is written over
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            with os.fdopen(os.open(unfinished, flags, 0o600), "wb") as file:
                file.writelines(encode(snapshot))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # the name, too, survives a crash of the machine
        finally:
            os.close(folder)

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        lock = os.open(self._path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(lock)
