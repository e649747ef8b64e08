from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dead_letter import DeadLetter

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LETTERS = st.builds(
    DeadLetter,
    event_id=TEXT,
    reason=TEXT,
    deliveries=st.integers(0, 2**31),
    entry_id=TEXT,
    consumer=TEXT,
    trace=st.lists(TEXT).map(tuple),
    event=st.binary(),
)


def as_redis(letter: DeadLetter) -> dict[bytes, bytes]:
    """The fields as Redis gives them back."""
    return {
        name.encode(): value if isinstance(value, bytes) else str(value).encode()
        for name, value in letter.fields().items()
    }


@given(letter=LETTERS)
def test_reads_what_it_writes(letter: DeadLetter) -> None:
    assert DeadLetter.of(as_redis(letter)) == letter


def test_reads_what_an_older_release_wrote() -> None:
    fields = {
        b"event_id": b"e1",
        b"reason": b"max_deliveries",
        b"payload": b'{"reason":"max_deliveries","deliveries":3,"entry_id":"5-1"}',
        b"event": b"bytes",
    }
    assert DeadLetter.of(fields) == DeadLetter("e1", "max_deliveries", 3, "5-1", "", (), b"bytes")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {b"something": b"else"},
        {b"payload": b"no JSON"},
        {b"payload": b"[1]"},
        {b"payload": b'{"deliveries": "many", "trace": 5, "consumer": null}'},
    ],
)
def test_what_somebody_else_wrote_is_empty(fields: dict[bytes, bytes]) -> None:
    assert DeadLetter.of(fields) == DeadLetter("", "", 0, "", "", (), b"")


def test_a_trace_that_is_a_text_is_none() -> None:
    assert DeadLetter.of({b"payload": b'{"trace": "text"}'}).trace == ()
