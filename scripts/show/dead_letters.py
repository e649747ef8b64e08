"""Dead letters for people and for programs: without content and without users, unless that is asked for."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from pipeline.dead_letters import Handled, Kept
from pipeline.event import Event, EventType, Platform
from scripts.show.why import one_line, shortened

_ID_CHARS = 36


def line(kept: Kept) -> str:
    """One line of a listing."""
    letter = kept.letter
    failed = letter.trace[0] if letter.trace else "-"
    columns = (
        f"{kept.id:<22}",
        _time(kept.at_ms),
        f"{one_line(letter.reason):<14}",
        f"{letter.deliveries:>3}",
        f"{kept.platform or '-':<9}",
        f"{shortened(one_line(letter.event_id), _ID_CHARS):<{_ID_CHARS}}",
        shortened(one_line(failed), 40),
    )
    return "  ".join(columns)


def details(kept: Kept, *, content: bool) -> Iterator[tuple[str, str]]:
    """Everything of one dead letter, each with its name; what people said and who they are only if asked."""
    letter, event = kept.letter, kept.event
    yield "entry", kept.id
    yield "given up", f"{_time(kept.at_ms)} by {one_line(letter.consumer) or 'nobody knows whom'}"
    yield "reason", one_line(letter.reason)
    yield "deliveries", str(letter.deliveries)
    yield "was in events:raw", one_line(letter.entry_id) or "-"
    yield "event", one_line(letter.event_id)
    if event is None:
        yield "", f"{len(letter.event)} bytes that do not decode"
        if content:
            yield "bytes", base64.b64encode(letter.event).decode()
    else:
        shown = event_json(event) if content else _harmless(event)
        for name, value in shown.items():
            if name != "event_id":
                yield name, _plain(value)
    for number, place in enumerate(letter.trace):
        yield (
            "" if number else "trace",
            one_line(place) if not place.startswith(" ") else f"  {one_line(place)}",
        )


def kept_json(kept: Kept) -> dict[str, Any]:
    """A dead letter without content and without users."""
    letter = kept.letter
    return {
        "id": kept.id,
        "at": _time(kept.at_ms),
        "reason": letter.reason,
        "deliveries": letter.deliveries,
        "entry_id": letter.entry_id,
        "event_id": letter.event_id,
        "platform": kept.platform,
        "consumer": letter.consumer,
        "trace": letter.trace,
    }


def details_json(kept: Kept, *, content: bool) -> dict[str, Any]:
    """A dead letter and its event, null where that does not decode; with content, as `--fix` takes it."""
    event = kept.event
    found = kept_json(kept)
    if event is not None:
        found["event"] = event_json(event) if content else _harmless(event)
    elif content:
        found["event"], found["bytes"] = None, base64.b64encode(kept.letter.event).decode()
    else:
        found["event"] = None
    return found


def handled_json(handled: Handled) -> dict[str, Any]:
    """What became of one."""
    kept = handled.kept
    return {
        "id": kept.id,
        "event_id": kept.letter.event_id,
        "done": handled.done,
        "why": handled.why,
    }


def event_json(event: Event) -> dict[str, Any]:
    """All of an event, as `scripts.rows.events` reads it; what it does not say is left out."""
    meta = event.metadata
    said = {
        "user_reputation": meta.user_reputation,
        "author_reputation": meta.author_reputation,
        "channel_history_count": meta.channel_history_count,
        "attributes": dict(meta.attributes) or None,
    }
    known = {name: value for name, value in said.items() if value is not None}
    return {
        **_kind(event),
        "channel_id": event.channel_id,
        "user_id": event.user_id,
        "author_id": event.author_id,
        "content": event.content,
        **({"metadata": known} if known else {}),
    }


def json_line(found: Mapping[str, Any]) -> str:
    """An object as a line."""
    return orjson.dumps(found, default=str).decode()


def _harmless(event: Event) -> dict[str, Any]:
    return {**_kind(event), "characters": len(event.content)}


def _kind(event: Event) -> dict[str, Any]:
    created = {} if event.created_at_ms is None else {"created_at": _time(event.created_at_ms)}
    return {
        "event_id": event.event_id,
        "event_type": _label(EventType, event.event_type),
        "platform": _label(Platform, event.platform),
        **created,
    }


def _label(kind: type[EventType] | type[Platform], number: int) -> str:
    return kind(number).label if number in {int(each) for each in kind} else str(number)


def _plain(value: object) -> str:
    """A value on one line; what could drive a terminal is escaped."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _time(ms: int) -> str:
    try:
        moment = datetime.fromtimestamp(ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):  # somebody else's, by its id
        return str(ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
