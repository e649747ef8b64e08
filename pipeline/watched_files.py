"""`WatchedFiles`: whether files have changed since somebody last looked."""

from __future__ import annotations

from pathlib import Path

_Stamp = tuple[int, int, int] | None
"""None: there is no file, or it cannot be looked at."""


class WatchedFiles:
    """Files that may be replaced while they are in use; a path that is None never changes."""

    def __init__(self, *paths: Path | None) -> None:
        self._paths = paths
        self._stamps = self._look()

    def changed(self) -> bool:
        """Whether any has changed since the last call, or since the beginning; blocks for a moment."""
        stamps = self._look()
        if stamps == self._stamps:
            return False
        self._stamps = stamps
        return True

    def _look(self) -> tuple[_Stamp, ...]:
        return tuple(_stamp(path) for path in self._paths)


def _stamp(path: Path | None) -> _Stamp:
    # Where the file is a link into a folder that is swapped as a whole, the file behind it counts.
    try:
        stat = path.stat() if path else None
    except OSError:
        return None
    return (stat.st_ino, stat.st_mtime_ns, stat.st_size) if stat else None
