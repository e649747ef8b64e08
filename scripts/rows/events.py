"""Events from JSON Lines: the fields of `seawall.events.v1.Event`, enums by their lower-case names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from itertools import islice
from typing import Any, TypeVar

import orjson

from pipeline.event import Event, EventMetadata, EventType, Platform
from scripts.errors import BadRow, CommandFailed
from scripts.rows.json_object import decode_object, kind_of
from scripts.rows.source import numbered_lines, open_source

FIELDS = (
    "event_id",
    "event_type",
    "platform",
    "channel_id",
    "user_id",
    "author_id",
    "content",
    "created_at",
    "metadata.user_reputation",
    "metadata.author_reputation",
    "metadata.channel_history_count",
    "metadata.attributes",
)
"""What a line may hold, and what a mapping may name. Other fields of a line are left alone."""

DEFAULT_PLATFORM = Platform.WEB_CHAT
DEFAULT_EVENT_TYPE = EventType.MESSAGE_CREATED

_Choice = TypeVar("_Choice", bound=IntEnum)


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event and the line that it came from, counted from 1."""

    line: int
    event: Event


def parse_mapping(pairs: list[str]) -> dict[str, str]:
    """Reads `field=name` pairs into the name, for each field, under which lines carry it.

    Raises:
        CommandFailed: a pair has another form, or names no field of an event.
    """
    mapping = {}
    for pair in pairs:
        field, equals, name = pair.partition("=")
        if not (equals and name) or field not in FIELDS:
            raise CommandFailed(f"--map {pair}: allowed: FIELD=NAME, with FIELD one of {', '.join(FIELDS)}")
        mapping[field] = name
    return mapping


def read_events(
    name: str, mapping: Mapping[str, str], *, limit: int | None = None
) -> Iterator[EventRow | BadRow]:
    """Rows of the file called `name` in order, at most `limit`; one that is no event comes as `BadRow`.

    Raises:
        FileUnreadable: the file cannot be read, perhaps only from some row on.
    """
    with open_source(name) as source:
        for line, data in islice(numbered_lines(source), limit):
            try:
                yield EventRow(line, decode_event(line, data, mapping))
            except BadRow as bad:
                yield bad


def decode_event(line: int, data: bytes, mapping: Mapping[str, str]) -> Event:
    """The event of a line, not yet checked against the contract: that is for ingest to do.

    What the line leaves out gets a default: `platform` web_chat, `event_type` message_created, `author_id` a
    hash of the line's event id or else its number, so that it is the same in every run; `event_id` a hash of
    platform, author and content, so that sending the line again is sending the same event again. That hash
    has no key: a file whose texts must not be guessed from ids brings its own.

    Raises:
        BadRow: not JSON, no object, or a field of another type than the contract's.
    """
    row = _Row(line, decode_object(line, data), mapping)
    event_id = row.name("event_id")
    platform = row.choice("platform", DEFAULT_PLATFORM)
    author_id = (
        row.name("author_id") or f"author-{hashlib.sha256((event_id or str(line)).encode()).hexdigest()[:12]}"
    )
    content = row.text("content")
    return Event(
        event_id=event_id or _id_of(platform, author_id, content),
        event_type=row.choice("event_type", DEFAULT_EVENT_TYPE),
        platform=platform,
        author_id=author_id,
        content=content,
        channel_id=row.name("channel_id"),
        user_id=row.name("user_id"),
        created_at_ms=row.time_ms("created_at"),
        metadata=EventMetadata(
            user_reputation=row.number("metadata.user_reputation"),
            author_reputation=row.number("metadata.author_reputation"),
            channel_history_count=row.count("metadata.channel_history_count"),
            attributes=row.attributes("metadata.attributes"),
        ),
    )


def _id_of(platform: int, author_id: str, content: str) -> str:
    parts = orjson.dumps([platform, author_id, content])
    return hashlib.sha256(parts).hexdigest()[:32]


class _Row:
    """Typed access to the fields of one line, through the mapping."""

    def __init__(self, line: int, values: Mapping[str, Any], mapping: Mapping[str, str]) -> None:
        self._line = line
        self._values = values
        self._mapping = mapping

    def text(self, field: str) -> str:
        value = self._get(field)
        if value is None:
            raise self._bad(field, "is missing", "a text")
        if not isinstance(value, str):
            raise self._bad(field, f"is {kind_of(value)}", "a text")
        return self._unicode(field, value)

    def name(self, field: str) -> str:
        value = self._get(field)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self._bad(field, f"is {kind_of(value)}", "a text or a whole number")
        return self._unicode(field, str(value))

    def choice(self, field: str, default: _Choice) -> _Choice:
        value = self._get(field)
        if value is None:
            return default
        choices = {choice.name.lower(): choice for choice in type(default) if choice.value}
        if not isinstance(value, str) or value.lower() not in choices:
            raise self._bad(field, "is none of the known ones", ", ".join(choices))
        return choices[value.lower()]

    def number(self, field: str) -> float | None:
        value = self._get(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._bad(field, f"is {kind_of(value)}", "a number")
        return float(value)

    def count(self, field: str) -> int | None:
        value = self._get(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
            raise self._bad(field, f"is {kind_of(value)}", "a whole number")
        return value

    def attributes(self, field: str) -> dict[str, str]:
        value = self._get(field)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise self._bad(field, "is something else", "an object whose values are texts")
        return value

    def time_ms(self, field: str) -> int | None:
        value = self._get(field)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError) as error:
            raise self._bad(field, "is no time", "RFC 3339, such as 2025-01-31T12:00:00Z") from error
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1000)

    def _get(self, field: str) -> Any:
        """The value under the mapped name, or along it where it has dots; None where there is none."""
        name = self._mapping.get(field, field)
        if name in self._values:
            return self._values[name]
        value: Any = self._values
        for part in name.split("."):
            if not isinstance(value, dict):
                return None
            value = value.get(part)
        return value

    def _unicode(self, field: str, value: str) -> str:
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise self._bad(field, "has a lone surrogate", "Unicode text") from error
        return value

    def _bad(self, field: str, problem: str, allowed: str) -> BadRow:
        named = self._mapping.get(field, field)
        return BadRow(self._line, f"{named} {problem}; allowed: {allowed}")
