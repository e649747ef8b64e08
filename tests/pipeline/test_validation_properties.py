"""Whatever comes in: validation never raises, and never repeats what a person wrote."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InvalidRequest
from pipeline.event import Event, EventMetadata
from pipeline.validation import violations_of
from tests.pipeline.strategies import EVENTS

ANY_TEXT = st.text(max_size=300) | st.text(st.characters(categories=["Cs", "Cc", "Zs", "Cf"]), max_size=5)
ANY_EVENT = EVENTS | st.builds(
    Event,
    event_id=ANY_TEXT,
    event_type=st.integers(),
    platform=st.integers(),
    author_id=ANY_TEXT,
    content=ANY_TEXT,
    channel_id=ANY_TEXT,
    user_id=ANY_TEXT,
    created_at_ms=st.none() | st.integers(),
    metadata=st.builds(
        EventMetadata,
        user_reputation=st.none() | st.floats(),
        author_reputation=st.none() | st.floats(),
        channel_history_count=st.none() | st.integers(),
        attributes=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=40),
    ),
)
MARK = "Zq9xW"  # in no message of ours
MARKED = st.builds("".join, st.tuples(ANY_TEXT, st.just(MARK), ANY_TEXT))


@given(event=ANY_EVENT, now_ms=st.integers(0, 2**50))
def test_never_raises_and_what_passes_can_be_sent_on(event: Event, now_ms: int) -> None:
    if not violations_of(event, now_ms=now_ms):
        assert Event.decode(event.encode()) == event


@given(
    texts=st.tuples(MARKED, MARKED, MARKED, MARKED, MARKED),
    attributes=st.dictionaries(MARKED, MARKED, min_size=1, max_size=3),
)
def test_never_repeats_what_a_person_wrote(
    texts: tuple[str, str, str, str, str], attributes: dict[str, str]
) -> None:
    event_id, author_id, content, channel_id, user_id = texts
    event = Event(
        event_id, 0, 0, author_id, content, channel_id, user_id, -1, EventMetadata(attributes=attributes)
    )
    violations = violations_of(event, now_ms=0)
    assert violations
    assert not re.search(MARK, str(InvalidRequest(violations)))
    assert all(v.field and v.problem and v.allowed for v in violations)
