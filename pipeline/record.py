"""`EventRecord`: what Redis remembers of an event under its id.

Layout of the value, written by `admit.lua` and `move.lua`: one byte of state, the 16 bytes of the
fingerprint, then what the state needs:

| state | rest                                                        |
|-------|-------------------------------------------------------------|
| `q`   | nothing: queued                                             |
| `s`   | `<stream> <entry id>` of the verdict: screened              |
| `d`   | `<stream> <entry id>` of the dead letter: dead-lettered     |
| `=`   | the id of the event that came first: a duplicate of it      |

The record holds positions, never a verdict: verdicts live in their stream alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pipeline.errors import EntryUndecodable

FINGERPRINT_BYTES = 16


class RecordState(Enum):
    """How far the event has come."""

    QUEUED = b"q"
    SCREENED = b"s"
    DEAD_LETTERED = b"d"
    DUPLICATE = b"="


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One record; `stream` and `entry_id` if SCREENED or DEAD_LETTERED, `first_id` if DUPLICATE."""

    state: RecordState
    fingerprint: bytes
    stream: str = ""
    entry_id: str = ""
    first_id: str = ""

    @classmethod
    def decode(cls, value: bytes) -> EventRecord:
        """Reads a record.

        Raises:
            EntryUndecodable: the value has another layout.
        """
        try:
            state = RecordState(value[:1])
            fingerprint, rest = value[1 : 1 + FINGERPRINT_BYTES], value[1 + FINGERPRINT_BYTES :].decode()
            if len(fingerprint) != FINGERPRINT_BYTES:
                raise ValueError("fingerprint is cut short")
            if state is RecordState.QUEUED:
                return cls(state, fingerprint)
            if state is RecordState.DUPLICATE:
                return cls(state, fingerprint, first_id=rest)
            stream, entry_id = rest.split(" ")
            return cls(state, fingerprint, stream=stream, entry_id=entry_id)
        except ValueError as error:
            raise EntryUndecodable("event record") from error
