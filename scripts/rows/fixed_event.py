"""An event that an operator has corrected, from a JSON file."""

from __future__ import annotations

from pipeline.event import Event
from scripts.errors import BadRow, CommandFailed
from scripts.rows.events import decode_event
from scripts.rows.json_object import decode_object
from scripts.rows.source import open_source

_NEEDED = ("event_id", "event_type", "platform", "author_id", "content")
"""What a file of events may leave out, to be made up; a corrected event may not."""


def read_fixed_event(name: str) -> Event:
    """The event of file `name`, or of standard input for `-`; not yet checked against the contract.

    Raises:
        FileUnreadable: the file cannot be read.
        CommandFailed: it holds no such event; the message names the field.
    """
    with open_source(name) as source:
        data = source.read()
    try:
        values = decode_object(1, data)
        missing = [field for field in _NEEDED if values.get(field) is None]
        if missing:
            raise CommandFailed(f"{name}: {missing[0]} is missing; an event has {', '.join(_NEEDED)}")
        return decode_event(1, data, {})
    except BadRow as bad:
        raise CommandFailed(f"{name}: {bad.problem}") from bad
