"""The short way takes only what `violations_of` finds nothing wrong with, and both tell the same event."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seawall.events.v1 import events_pb2

from ingest.reception import Reception, _is_plain
from pipeline.admission import Candidate
from pipeline.event import Event, EventMetadata
from pipeline.hand_off import HandOff
from pipeline.validation import MAX_AHEAD_MS, violations_of
from tests.fixtures.digests import DIGESTS
from tests.fixtures.events import MakeEvent
from tests.pipeline.strategies import EVENTS

NOW_MS = 1_700_000_000_000
RECEPTION = Reception(DIGESTS)

_NAME = st.text("ab \té0", max_size=4) | st.sampled_from(["", "author", "a" * 64, "a" * 128, "a" * 129])
NEARLY_VALID = st.builds(
    Event,
    event_id=_NAME | st.just("a.b:c-d_E"),
    event_type=st.integers(-1, 7),
    platform=st.integers(-1, 7),
    author_id=_NAME,
    content=st.sampled_from(["", " \n", "hello", "a\0b", "é" * 10_000, "e" * 10_001]),
    channel_id=_NAME,
    user_id=_NAME,
    created_at_ms=st.none()
    | st.sampled_from([-1, 0, 1, NOW_MS, NOW_MS + MAX_AHEAD_MS, NOW_MS + MAX_AHEAD_MS + 1]),
    metadata=st.builds(
        EventMetadata,
        user_reputation=st.none() | st.sampled_from([-0.1, 0.0, 1.0, 1.1, float("inf"), float("nan")]),
        author_reputation=st.none() | st.sampled_from([-0.1, 0.5, float("nan")]),
        channel_history_count=st.none() | st.sampled_from([-1, 0, 2**53, 2**53 + 1]),
        attributes=st.dictionaries(st.sampled_from(["", "a", "b\0"]), st.just("v"), max_size=2),
    ),
)


def _plain(message: events_pb2.Event) -> bool:
    return _is_plain(message, message.event_id, message.platform, message.author_id, message.content, NOW_MS)


@given(event=EVENTS | NEARLY_VALID)
def test_both_ways_find_the_same(event: Event) -> None:
    message = event.to_proto()
    found = RECEPTION.candidate(message, HandOff.STREAM, NOW_MS)
    violations = violations_of(event, now_ms=NOW_MS)
    if not isinstance(found, Candidate):
        assert found == violations
        return
    assert violations == ()
    taken = Event.decode(found.payload)
    assert taken.content == event.content
    assert taken.metadata == event.metadata
    assert taken.event_id == found.event_id == (event.event_id or found.event_id)
    assert taken.created_at_ms == (NOW_MS if event.created_at_ms is None else event.created_at_ms)
    assert found.fingerprint == DIGESTS.fingerprint(event.platform, event.author_id, event.content)
    assert message == event.to_proto()  # what a caller is told of is as it came


def test_a_usual_event_goes_the_short_way(make_event: MakeEvent) -> None:
    known = EventMetadata(user_reputation=0.5, author_reputation=1.0, channel_history_count=3)
    for event in (make_event(), make_event(user_id="user-1", metadata=known), make_event(event_id="")):
        assert _plain(event.to_proto())
    assert not _plain(make_event(content=" ").to_proto())


@pytest.mark.parametrize("created_at_ms", [None, NOW_MS - 5])
def test_what_is_missing_is_added(make_event: MakeEvent, created_at_ms: int | None) -> None:
    event = make_event(event_id="", created_at_ms=created_at_ms)
    found = RECEPTION.candidate(event.to_proto(), HandOff.STREAM, NOW_MS)
    assert isinstance(found, Candidate)
    assert UUID(found.event_id).int >> 80 == NOW_MS
    assert Event.decode(found.payload).created_at_ms == (created_at_ms or NOW_MS)


def test_a_field_that_nobody_knows_is_not_stored(make_event: MakeEvent) -> None:
    unknown = b"\xfa\x3f\x04junk"  # field 1,023
    message = events_pb2.Event.FromString(make_event().encode() + unknown)
    found = RECEPTION.candidate(message, HandOff.STREAM, NOW_MS)
    assert isinstance(found, Candidate)
    assert found.payload == make_event().encode()
