from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import EntryUndecodable
from pipeline.record import EventRecord, RecordState

FINGERPRINT = bytes(range(16))


@pytest.mark.parametrize(
    ("value", "record"),
    [
        (b"q" + FINGERPRINT, EventRecord(RecordState.QUEUED, FINGERPRINT)),
        (
            b"s" + FINGERPRINT + b"events:low_risk 1-2",
            EventRecord(RecordState.SCREENED, FINGERPRINT, stream="events:low_risk", entry_id="1-2"),
        ),
        (
            b"d" + FINGERPRINT + b"events:dead_letter 1-2",
            EventRecord(RecordState.DEAD_LETTERED, FINGERPRINT, stream="events:dead_letter", entry_id="1-2"),
        ),
        (b"=" + FINGERPRINT + b"e1", EventRecord(RecordState.DUPLICATE, FINGERPRINT, first_id="e1")),
    ],
)
def test_reads_each_state(value: bytes, record: EventRecord) -> None:
    assert EventRecord.decode(value) == record


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"q",
        b"q" + FINGERPRINT[:-1],
        b"x" + FINGERPRINT,
        b"s" + FINGERPRINT,
        b"s" + FINGERPRINT + b"events:low_risk",
        b"s" + FINGERPRINT + b"a b c",
        b"=" + FINGERPRINT + b"\xff",
    ],
)
def test_another_layout_is_undecodable(value: bytes) -> None:
    with pytest.raises(EntryUndecodable):
        EventRecord.decode(value)


@given(value=st.binary(max_size=80))
def test_any_bytes_raise_one_error_alone(value: bytes) -> None:
    with suppress(EntryUndecodable):
        EventRecord.decode(value)
