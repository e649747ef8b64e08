"""What the services' logs say while they are fuzzed: one JSON object a line, and no trace of an error."""

from __future__ import annotations

from pathlib import Path

import orjson

_MOST_SHOWN = 200
_BAD_EVENTS = frozenset({"rpc_failed", "batch_failed"})
_BAD_LEVELS = frozenset({"error", "critical"})


class LogReader:
    """Reads a log on from where it stood; what was there before is not looked at."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._place = log.stat().st_size if log.exists() else 0

    def complaints(self) -> list[str]:
        """What is wrong with the lines that have come since, a line each."""
        with self._log.open("rb") as file:
            file.seek(self._place)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._place += len(whole)
        return [f"{self._log.name}: {told}" for line in whole.splitlines() if (told := _complaint(line))]


def _complaint(line: bytes) -> str:
    shown = line[:_MOST_SHOWN].decode(errors="replace")
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return f"a line that is no JSON: {shown}"
    if not isinstance(entry, dict):
        return f"a line that is no JSON object: {shown}"
    if entry.get("event") in _BAD_EVENTS or entry.get("level") in _BAD_LEVELS:
        return f"an error: {shown}"
    return ""
