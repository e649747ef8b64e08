"""A spill: the move that takes an event from `events:direct` back to the queue. Pure."""

from __future__ import annotations

from pipeline.keys import Keys
from pipeline.move import Append, Move
from pipeline.record import RecordState


def spill(keys: Keys, *, entry_id: str, event_id: str, platform: str, payload: bytes) -> Move:
    """The move of an entry to `events:raw`, with the fields that admission gives one there."""
    return Move(
        entry_id=entry_id,
        event_id=event_id,
        state=RecordState.QUEUED,
        record_life_ms=0,
        to=Append(keys.raw, {"event_id": event_id, "platform": platform, "event": payload}),
    )
