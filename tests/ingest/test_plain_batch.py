"""A batch is taken as columns only where each event is plain, and both ways make the same candidates."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seawall.events.v1 import events_pb2
from seawall.ingest.v1 import ingest_pb2

from ingest.plain_batch import plain_candidates, plain_singles
from ingest.reception import Reception
from pipeline.admission import Candidate
from pipeline.event import Event, EventMetadata
from pipeline.hand_off import HandOff
from pipeline.validation import MAX_AHEAD_MS
from tests.fixtures.digests import DIGESTS
from tests.fixtures.events import MakeEvent
from tests.ingest.test_reception import NEARLY_VALID, NOW_MS
from tests.pipeline.strategies import EVENTS

_AUTHOR, _UNKNOWN = b"\x32\x06author", b"\xfa\x3f\x04junk"


def request(*events: Event | bytes) -> ingest_pb2.IngestBatchRequest:
    """As it comes off the wire."""
    written = [event if isinstance(event, bytes) else event.encode() for event in events]
    messages = [events_pb2.Event.FromString(data) for data in written]
    sent = ingest_pb2.IngestBatchRequest(events=messages)
    return ingest_pb2.IngestBatchRequest.FromString(sent.SerializeToString())


def taken(sent: ingest_pb2.IngestBatchRequest) -> list[Candidate] | None:
    return plain_candidates(sent, HandOff.DIRECT, NOW_MS, DIGESTS)


def one_by_one(sent: ingest_pb2.IngestBatchRequest) -> list[object]:
    reception = Reception(DIGESTS)
    return [reception.candidate(message, HandOff.DIRECT, NOW_MS) for message in sent.events]


def taken_as_singles(sent: ingest_pb2.IngestBatchRequest) -> list[Candidate] | None:
    messages = list(sent.events)
    return plain_singles(messages, [HandOff.DIRECT] * len(messages), NOW_MS, DIGESTS)


@pytest.mark.parametrize("take", [taken, taken_as_singles])
@given(events=st.lists(EVENTS | NEARLY_VALID, max_size=4))
def test_what_is_taken_is_what_each_is_by_itself(
    take: Callable[[ingest_pb2.IngestBatchRequest], list[Candidate] | None], events: list[Event]
) -> None:
    found = take(request(*events))
    if found is None:
        return
    for candidate, other, sent in zip(found, one_by_one(request(*events)), events, strict=True):
        assert isinstance(other, Candidate)
        event = Event.decode(candidate.payload)
        made = replace(Event.decode(other.payload), event_id=candidate.event_id)
        assert event == made
        assert sent.event_id in {event.event_id, ""}
        assert candidate == other._replace(event_id=candidate.event_id, payload=candidate.payload)


def test_plain_events_are_taken(make_event: MakeEvent) -> None:
    known = EventMetadata(user_reputation=0.0, author_reputation=1.0, channel_history_count=0)
    sent = request(
        make_event(),
        make_event(event_id="a.b:c-d_E", content="é" * 10_000, channel_id="", user_id="u" * 128),
        make_event(event_id="e" * 128, content="\N{FIRE} " * 9, metadata=known),
        make_event(author_id="a" * 128, created_at_ms=NOW_MS + MAX_AHEAD_MS - 10_000),
    )
    assert taken(sent) == one_by_one(sent)


def test_singles_go_each_its_way(make_event: MakeEvent) -> None:
    sent = request(*(make_event(event_id=f"e{i}", metadata=EventMetadata()) for i in range(4)))
    ways = [HandOff.DIRECT, HandOff.STREAM, HandOff.STREAM, HandOff.DIRECT]
    found = plain_singles(sent.events, ways, NOW_MS, DIGESTS)
    assert found is not None
    assert [candidate.hand_off for candidate in found] == ways
    assert [candidate._replace(hand_off=HandOff.DIRECT) for candidate in found] == one_by_one(sent)


def test_what_is_missing_is_added(make_event: MakeEvent) -> None:
    events = [
        make_event(event_id="own"),
        make_event(event_id=""),
        make_event(event_id="", created_at_ms=None, metadata=EventMetadata(author_reputation=0.5)),
        make_event(event_id="timeless", created_at_ms=None),
    ]
    found = taken(request(*events))
    assert found is not None
    first, second, third, fourth = found
    assert (first.payload, fourth.event_id) == (events[0].encode(), "timeless")
    for candidate, event in ((second, events[1]), (third, events[2])):
        assert UUID(candidate.event_id).int >> 80 == NOW_MS
        stored = Event.decode(candidate.payload)
        assert replace(stored, event_id="", created_at_ms=event.created_at_ms) == event
        assert stored.event_id == candidate.event_id
    times = [Event.decode(candidate.payload).created_at_ms for candidate in found]
    assert times == [events[0].created_at_ms, events[1].created_at_ms, NOW_MS, NOW_MS]
    assert second.event_id != third.event_id


@pytest.mark.parametrize(
    "bad",
    [
        {"event_id": "a b"},
        {"event_id": "é"},
        {"event_id": "e" * 129},
        {"event_type": 7},
        {"platform": 0},
        {"platform": -1},
        {"author_id": ""},
        {"author_id": "a" * 129},
        {"user_id": "u u"},
        {"channel_id": "c\t"},
        {"content": ""},
        {"content": "\u2003\n"},
        {"content": "a\0b"},
        {"content": "e" * 10_001},
        {"created_at_ms": 0},
        {"created_at_ms": -1_000},
        {"created_at_ms": NOW_MS + MAX_AHEAD_MS + 1_000},
        {"metadata": EventMetadata(author_reputation=1.1)},
        {"metadata": EventMetadata(user_reputation=-0.1)},
        {"metadata": EventMetadata(user_reputation=math.nan)},
        {"metadata": EventMetadata(channel_history_count=-1)},
        {"metadata": EventMetadata(attributes={"a": "b"})},
    ],
    ids=str,
)
def test_one_that_may_not_be_plain_keeps_a_batch_from_it(
    make_event: MakeEvent, bad: dict[str, object]
) -> None:
    known = make_event(metadata=EventMetadata(user_reputation=0.5, author_reputation=0.5))
    assert taken(request(known, make_event(**bad), known)) is None


def test_a_field_that_is_sent_twice_is_not_taken_for_that_of_the_next(make_event: MakeEvent) -> None:
    twice, without = make_event(author_id="other").encode() + _AUTHOR, make_event(author_id="").encode()
    assert taken(request(twice, without)) is None
    sent = request(twice, make_event(author_id="third"))
    assert taken(sent) == one_by_one(sent)


def test_a_field_that_nobody_knows_is_not_stored(make_event: MakeEvent) -> None:
    found = taken(request(make_event().encode() + _UNKNOWN))
    assert found is not None
    assert found[0].payload == make_event().encode()
