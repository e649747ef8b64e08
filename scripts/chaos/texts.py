"""The few texts that most events of a chaos run have."""

from __future__ import annotations

from scripts.commands.run import SAMPLES
from scripts.rows.events import EventRow, read_events


def texts() -> list[str]:
    """The different texts of the samples."""
    rows = read_events(str(SAMPLES), {})
    return list(dict.fromkeys(row.event.content for row in rows if isinstance(row, EventRow)))
