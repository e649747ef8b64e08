from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seawall.events.v1 import events_pb2

from pipeline.errors import EntryUndecodable
from pipeline.event import Event, EventMetadata, EventType, Platform
from tests.fixtures.events import MakeEvent
from tests.pipeline.strategies import EVENTS


@given(event=EVENTS)
def test_decodes_what_it_encoded(event: Event) -> None:
    assert Event.decode(event.encode()) == event


@given(data=st.binary(max_size=200))
def test_bytes_that_are_no_event_raise_one_error_alone(data: bytes) -> None:
    with suppress(EntryUndecodable):
        Event.decode(data)


@given(event=EVENTS, cut=st.integers(1, 20), junk=st.binary(max_size=5))
def test_a_broken_event_raises_one_error_alone(event: Event, cut: int, junk: bytes) -> None:
    with suppress(EntryUndecodable):
        Event.decode(event.encode()[:-cut] + junk)


def test_text_that_is_not_utf_8_is_undecodable(make_event: MakeEvent) -> None:
    data = make_event(content="abc").encode().replace(b"abc", b"a\xffc")
    with pytest.raises(EntryUndecodable):
        Event.decode(data)


def test_absent_is_not_zero() -> None:
    event = Event.from_proto(events_pb2.Event())
    assert event.created_at_ms is None
    assert event.metadata == EventMetadata(None, None, None, {})
    zeros = events_pb2.Event(
        metadata=events_pb2.EventMetadata(user_reputation=0, author_reputation=0, channel_history_count=0)
    )
    zeros.created_at.FromMilliseconds(0)
    event = Event.from_proto(zeros)
    assert event.created_at_ms == 0
    assert event.metadata == EventMetadata(0.0, 0.0, 0, {})
    assert Event.decode(event.encode()) == event


def test_times_before_1970_stay_before_1970() -> None:
    message = events_pb2.Event()
    message.created_at.seconds, message.created_at.nanos = -1, 999_999_999
    assert Event.from_proto(message).created_at_ms == -1


@pytest.mark.parametrize(
    ("ours", "theirs", "prefix"),
    [(Platform, events_pb2.Platform, "PLATFORM_"), (EventType, events_pb2.EventType, "EVENT_TYPE_")],
)
def test_numbers_are_those_of_the_contract(
    ours: type[Platform | EventType], theirs: type[events_pb2.Platform], prefix: str
) -> None:
    assert {f"{prefix}{member.name}": int(member) for member in ours} == dict(theirs.items())


def test_labels_are_lower_case() -> None:
    assert (Platform.WEB_CHAT.label, EventType.MESSAGE_EDITED.label) == ("web_chat", "message_edited")
