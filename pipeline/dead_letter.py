"""`DeadLetter`: an entry that was given up, and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pipeline.move import Fields


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What an entry of `events:dead_letter` holds; its id there tells when, by Redis's clock.

    Attributes:
        event_id: whose record names this entry: `entry:<id>` where the event has no id.
        reason: `undecodable` or `max_deliveries`.
        deliveries: tries of the entry by itself.
        entry_id: the entry that it was in `events:raw`; empty where that is not known.
        consumer: the screener that gave it up, as it is called in the group; empty where that is not known.
        trace: the last failure as `screener.trace` has it, without content; empty where its process died.
        event: `Event.encode()`, unless that is what is wrong with it.
    """

    event_id: str
    reason: str
    deliveries: int
    entry_id: str
    consumer: str
    trace: tuple[str, ...]
    event: bytes

    def fields(self) -> Fields:
        """The fields of the entry; the plain ones are for people who look with redis-cli."""
        payload = {
            "reason": self.reason,
            "deliveries": self.deliveries,
            "entry_id": self.entry_id,
            "consumer": self.consumer,
            "trace": self.trace,
        }
        return {
            "event_id": self.event_id,
            "reason": self.reason,
            "payload": orjson.dumps(payload),
            "event": self.event,
        }

    @classmethod
    def of(cls, fields: Mapping[bytes, bytes]) -> DeadLetter:
        """Reads an entry; what is missing or broken is left empty, for an operator has to see and drop it."""
        payload = _object(fields.get(b"payload", b""))
        deliveries, trace = payload.get("deliveries"), payload.get("trace")
        return cls(
            event_id=_text(fields.get(b"event_id")),
            reason=_text(fields.get(b"reason")),
            deliveries=deliveries if isinstance(deliveries, int) else 0,
            entry_id=str(payload.get("entry_id") or ""),
            consumer=str(payload.get("consumer") or ""),
            trace=tuple(str(line) for line in trace) if isinstance(trace, list) else (),
            event=fields.get(b"event", b""),
        )


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
