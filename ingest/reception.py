"""`Reception`: from the message of an event to a candidate for admission, or to what is wrong with it.

The only place behind the edge that looks into a message. An `Event` of each message, its check and its
message again took 16 µs of the 30 that an event of a batch cost; a look at the fields of a plain one takes 3.
What is not plain goes the way of everything else: `Event`, `violations_of`, `Event.encode`.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace

from seawall.events.v1 import events_pb2

from pipeline.admission import Candidate
from pipeline.errors import Violation
from pipeline.event import PLATFORM_LABELS, Event, EventType, Platform
from pipeline.fingerprint import Digests
from pipeline.hand_off import HandOff
from pipeline.uuid7 import RANDOM_BYTES, uuid7
from pipeline.validation import (
    EVENT_ID_CHARACTER,
    MAX_AHEAD_MS,
    MAX_CONTENT_CHARS,
    MAX_COUNT,
    MAX_ID_CHARS,
    violations_of,
)

MOST_PLATFORM, MOST_EVENT_TYPE = int(max(Platform)), int(max(EventType))
MOST_NANOS_S = 3  # what 32 bits of nanoseconds can add to a time, or take from it
_PLAIN_ID = re.compile(EVENT_ID_CHARACTER + "{1,128}").fullmatch


class Reception:
    """Checks, names and fingerprints; keeps nothing of an event."""

    def __init__(self, digests: Digests) -> None:
        self._digests = digests

    def candidate(
        self, message: events_pb2.Event, way: HandOff, now_ms: int
    ) -> Candidate | tuple[Violation, ...]:
        """The candidate, or all violations of the message.

        An event without an id gets a UUIDv7, and one without a time the time of now.
        """
        event_id, platform = message.event_id, message.platform
        author_id, content = message.author_id, message.content
        if _is_plain(message, event_id, platform, author_id, content, now_ms):
            message.DiscardUnknownFields()  # a field that we do not know may hold anything
            if not (event_id and message.created_at.seconds):
                message = _completed(message, now_ms)
                event_id = message.event_id
            payload = message.SerializeToString()
        else:
            event = Event.from_proto(message)
            if violations := violations_of(event, now_ms=now_ms):
                return violations
            event = replace(
                event,
                event_id=event_id or uuid7(now_ms, os.urandom(RANDOM_BYTES)),
                created_at_ms=now_ms if event.created_at_ms is None else event.created_at_ms,
            )
            event_id, payload = event.event_id, event.encode()
        return Candidate(
            event_id,
            self._digests.fingerprint(platform, author_id, content),
            PLATFORM_LABELS[platform],
            payload,
            way,
        )


def _is_plain(  # noqa: PLR0917  # once for each event: a name for each argument would cost as much as a check
    message: events_pb2.Event, event_id: str, platform: int, author_id: str, content: str, now_ms: int
) -> bool:
    """Whether a message with these fields is valid at a look, as most are; False says nothing.

    True only where `violations_of` finds nothing. Strings of a message hold no lone surrogates, for they are
    UTF-8 on the wire. What is not there reads as zero, which is valid; to ask `HasField` takes as long as
    three fields.
    """
    names = message.channel_id + message.user_id + author_id
    if not (
        (not event_id or _PLAIN_ID(event_id))
        and 1 <= message.event_type <= MOST_EVENT_TYPE
        and 1 <= platform <= MOST_PLATFORM
        and author_id
        and len(names) <= MAX_ID_CHARS
        and names.isascii()
        and names.isprintable()
        and " " not in names
        and 1 <= len(content) <= MAX_CONTENT_CHARS
        and "\0" not in content
        and not content.isspace()
    ):
        return False
    seconds = message.created_at.seconds
    if not MOST_NANOS_S < seconds < (now_ms + MAX_AHEAD_MS) // 1000 - MOST_NANOS_S and (
        seconds or message.HasField("created_at")
    ):
        return False
    meta = message.metadata
    return (
        0 <= meta.user_reputation <= 1
        and 0 <= meta.author_reputation <= 1
        and 0 <= meta.channel_history_count <= MAX_COUNT
        and not meta.attributes
    )


def _completed(message: events_pb2.Event, now_ms: int) -> events_pb2.Event:
    """A copy with an id and a time; the caller's message is still to be told of as it came."""
    completed = events_pb2.Event()
    completed.CopyFrom(message)
    if not completed.event_id:
        completed.event_id = uuid7(now_ms, os.urandom(RANDOM_BYTES))
    if not completed.HasField("created_at"):
        completed.created_at.FromMilliseconds(now_ms)
    return completed
