"""What a valid event is: every rule, and every violation of one event at once. Pure."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator

from pipeline.errors import Violation
from pipeline.event import Event, EventType, Platform

MAX_CONTENT_CHARS = 10_000
MAX_ID_CHARS = 128
MAX_AHEAD_MS = 300_000
MAX_ATTRIBUTES = 32
MAX_ATTRIBUTE_KEY_CHARS = 64
MAX_ATTRIBUTE_VALUE_CHARS = 512
MAX_COUNT = 2**53
"""Counts above this are no longer exact in JSON."""

EVENT_ID_CHARACTER = r"[A-Za-z0-9._:\-]"
"""A pattern of one."""

_EVENT_ID = re.compile(EVENT_ID_CHARACTER + "{1,128}")
_EVENT_ID_ALLOWED = "1 to 128 of A-Z a-z 0-9 . _ : -"
_ID_ALLOWED = f"1 to {MAX_ID_CHARS} printable characters without spaces"
_CONTENT_ALLOWED = f"1 to {MAX_CONTENT_CHARS} characters, not only white space, no NUL, no lone surrogate"
_PLATFORMS = frozenset(p for p in Platform if p is not Platform.UNSPECIFIED)
_EVENT_TYPES = frozenset(t for t in EventType if t is not EventType.UNSPECIFIED)
_PLATFORMS_ALLOWED = ", ".join(p.label for p in sorted(_PLATFORMS))
_EVENT_TYPES_ALLOWED = ", ".join(t.label for t in sorted(_EVENT_TYPES))
_SURROGATE = re.compile("[\ud800-\udfff]")


def violations_of(event: Event, *, now_ms: int) -> tuple[Violation, ...]:
    """All violations of `event`, in the order of its fields; empty for a valid one.

    An empty `event_id` is valid: ingest makes one. No violation repeats a value that a person wrote.
    """
    return tuple(_violations(event, now_ms))


def event_id_violation(event_id: str, *, field: str = "event_id") -> Violation | None:
    """What is wrong with an id that must be there, or None."""
    if not event_id:
        return Violation(field, "is missing", _EVENT_ID_ALLOWED)
    if len(event_id) > MAX_ID_CHARS:
        return Violation(field, f"has {len(event_id)} characters", _EVENT_ID_ALLOWED)
    if not _EVENT_ID.fullmatch(event_id):
        return Violation(field, "has a character that is not allowed", _EVENT_ID_ALLOWED)
    return None


def content_violation(content: str) -> Violation | None:
    """What is wrong with a text, or None."""
    problem = None
    if not content:
        problem = "is missing"
    elif len(content) > MAX_CONTENT_CHARS:
        problem = f"has {len(content)} characters"
    elif "\0" in content:
        problem = f"has a NUL character at position {content.index(chr(0))}"
    elif surrogate := _SURROGATE.search(content):
        problem = f"has a lone surrogate at position {surrogate.start()}"
    elif content.isspace():
        problem = "is white space alone"
    return Violation("content", problem, _CONTENT_ALLOWED) if problem else None


def author_violations(author_id: str) -> tuple[Violation, ...]:
    """All violations of an author's name."""
    return tuple(_name_violations("author_id", author_id, required=True))


def _violations(event: Event, now_ms: int) -> Iterator[Violation]:
    if event.event_id and (bad_id := event_id_violation(event.event_id)):
        yield bad_id
    if event.event_type not in _EVENT_TYPES:
        yield Violation("event_type", _missing_or_unknown(event.event_type), _EVENT_TYPES_ALLOWED)
    if event.platform not in _PLATFORMS:
        yield Violation("platform", _missing_or_unknown(event.platform), _PLATFORMS_ALLOWED)
    yield from _name_violations("channel_id", event.channel_id, required=False)
    yield from _name_violations("user_id", event.user_id, required=False)
    yield from _name_violations("author_id", event.author_id, required=True)
    if bad_content := content_violation(event.content):
        yield bad_content
    if event.created_at_ms is not None:
        yield from _time_violations(event.created_at_ms, now_ms)
    yield from _metadata_violations(event)


def _missing_or_unknown(number: int) -> str:
    return "is missing" if number == 0 else f"has the unknown number {number}"


def _name_violations(field: str, value: str, *, required: bool) -> Iterator[Violation]:
    allowed = _ID_ALLOWED if required else f"empty, or {_ID_ALLOWED}"
    if not value:
        if required:
            yield Violation(field, "is missing", allowed)
    elif len(value) > MAX_ID_CHARS:
        yield Violation(field, f"has {len(value)} characters", allowed)
    elif not _is_name(value):
        yield Violation(field, "has a space, a control character or a lone surrogate", allowed)


def _is_name(value: str) -> bool:
    if value.isascii():  # the usual case, decided without a look at each character
        return value.isprintable() and " " not in value
    return not any(unicodedata.category(c)[0] in "CZ" for c in value)


def _time_violations(created_at_ms: int, now_ms: int) -> Iterator[Violation]:
    allowed = f"from 1970 to {MAX_AHEAD_MS // 1000} s ahead of the service's clock"
    if created_at_ms < 0:
        yield Violation("created_at", "is before 1970", allowed)
    elif created_at_ms > now_ms + MAX_AHEAD_MS:
        yield Violation("created_at", f"is {(created_at_ms - now_ms) // 1000} s in the future", allowed)


def _metadata_violations(event: Event) -> Iterator[Violation]:
    meta = event.metadata
    for field, value in (
        ("metadata.user_reputation", meta.user_reputation),
        ("metadata.author_reputation", meta.author_reputation),
    ):
        if value is not None and not (math.isfinite(value) and 0 <= value <= 1):
            yield Violation(field, f"is {value:g}", "0 to 1")
    count = meta.channel_history_count
    if count is not None and not 0 <= count <= MAX_COUNT:
        yield Violation("metadata.channel_history_count", f"is {count}", f"0 to {MAX_COUNT}")
    if not meta.attributes:
        return
    if len(meta.attributes) > MAX_ATTRIBUTES:
        yield Violation(
            "metadata.attributes", f"has {len(meta.attributes)} entries", f"at most {MAX_ATTRIBUTES}"
        )
    if any(not 1 <= len(key) <= MAX_ATTRIBUTE_KEY_CHARS for key in meta.attributes):
        yield Violation(
            "metadata.attributes",
            "has a key of a wrong length",
            f"keys of 1 to {MAX_ATTRIBUTE_KEY_CHARS} characters",
        )
    if any(len(value) > MAX_ATTRIBUTE_VALUE_CHARS for value in meta.attributes.values()):
        yield Violation(
            "metadata.attributes",
            "has a value that is too long",
            f"values of at most {MAX_ATTRIBUTE_VALUE_CHARS} characters",
        )
    if any("\0" in text or _SURROGATE.search(text) for pair in meta.attributes.items() for text in pair):
        yield Violation("metadata.attributes", "has a NUL or a lone surrogate", "Unicode text")
