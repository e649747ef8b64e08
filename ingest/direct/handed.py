"""`Handed`: an admitted event on the direct way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Handed:
    """An entry of `events:direct`, and what must happen by when; times by the event loop's clock, in seconds.

    Attributes:
        payload: `Event.encode()`.
        sent_at: when it was admitted.
        expires_at: from when on we wait no longer for the screener's word.
        useful_until: from when on nobody wants the verdict in a hurry; at most `expires_at`.
    """

    entry_id: str
    event_id: str
    platform: str
    payload: bytes
    sent_at: float
    expires_at: float
    useful_until: float
