"""Hostile events: well-formed messages whose fields are not what they should be, and some that are."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from random import Random

from google.protobuf.message import DecodeError
from seawall.events.v1 import events_pb2

from pipeline.event import Event
from pipeline.validation import violations_of
from scripts.fuzz import texts
from scripts.fuzz.mangle import mutated

VALID_SHARE = 0.005
"""How many of the events may be valid, and so have to get their verdicts: what a model can keep up with."""

_FIELDS = ("event_id", "channel_id", "user_id", "author_id", "content", "key", "value")
_NUMBERS = (0, -1, 1, 2**31 - 1, -(2**31), 2**53, 2**53 + 1, 2**63 - 1, -(2**63))
_FLOATS = (float("nan"), float("inf"), -float("inf"), -0.0, 1.0000001, -1e-300, 1e308, 5e-324, 0.5)


def a_valid_event(dice: Random) -> events_pb2.Event:
    """An event with an id and a text of its own that is accepted as it is."""
    return events_pb2.Event(
        event_id=f"fuzz-{dice.getrandbits(64):016x}",
        event_type=events_pb2.EVENT_TYPE_MESSAGE_CREATED,
        platform=events_pb2.PLATFORM_DISCORD,
        author_id=f"author-{dice.getrandbits(64):016x}",
        channel_id="fuzz",
        content="Has anybody seen the patch notes?",
    )


def with_text(make: Callable[[Random], str]) -> Callable[[Random], events_pb2.Event]:
    """Makes events that have such a text in one of their fields, most often the content."""

    def event(dice: Random) -> events_pb2.Event:
        made = a_valid_event(dice)
        field = "content" if dice.random() < 0.5 else dice.choice(_FIELDS)
        if field in {"key", "value"}:
            key, value = (make(dice), "v") if field == "key" else ("k", make(dice))
            made.metadata.attributes[key] = value
        else:
            setattr(made, field, make(dice))
        return made

    return event


def huge_numbers(dice: Random) -> events_pb2.Event:
    """Enums, times, counts and reputations far outside of their ranges, or at their ends."""
    made = a_valid_event(dice)
    match dice.randrange(5):
        case 0:
            made.event_type = dice.choice(_NUMBERS[:5])  # type: ignore[assignment]  # an int is the enum's value on the wire
        case 1:
            made.platform = dice.choice(_NUMBERS[:5])  # type: ignore[assignment]  # likewise
        case 2:
            made.created_at.seconds = dice.choice(_NUMBERS)
            made.created_at.nanos = dice.choice(_NUMBERS[:5])
        case 3:
            made.metadata.channel_history_count = dice.choice(_NUMBERS)
        case _:
            made.metadata.author_reputation = dice.choice(_FLOATS)
            made.metadata.user_reputation = dice.choice(_FLOATS)
    return made


def many_attributes(dice: Random) -> events_pb2.Event:
    """Attributes that are too many, too long or empty."""
    made = a_valid_event(dice)
    for _ in range(dice.choice((1, 32, 33, 100))):
        key = f"{dice.getrandbits(32)}" * dice.choice((0, 1, 1, 1, 7))
        made.metadata.attributes[key] = "v" * dice.choice((0, 1, 512, 513))
    return made


def mutated_event(dice: Random) -> events_pb2.Event:
    """An event whose bytes were changed at random, where they still are a message."""
    whole = a_valid_event(dice).SerializeToString()
    for _ in range(20):
        try:
            return events_pb2.Event.FromString(mutated(dice, whole))
        except DecodeError:
            continue
    return a_valid_event(dice)


KINDS: Mapping[str, Callable[[Random], events_pb2.Event]] = {
    "every Unicode plane": with_text(texts.any_plane),
    "zalgo": with_text(texts.zalgo),
    "regular-expression bombs": with_text(texts.bomb),
    "control characters": with_text(texts.control),
    "Redis protocol": with_text(texts.redis_protocol),
    "lines of a log": with_text(texts.log_lines),
    "huge numbers": huge_numbers,
    "attributes": many_attributes,
    "mutated events": mutated_event,
}


def hostile(kind: str, dice: Random) -> events_pb2.Event:
    """An event of that kind; most of those that would be accepted are spoiled."""
    made = KINDS[kind](dice)
    if dice.random() > VALID_SHARE and not violations_of(
        Event.from_proto(made), now_ms=time.time_ns() // 1_000_000
    ):
        made.author_id = dice.choice(("", " ", "a\nb", "a" * 129))
    return made
