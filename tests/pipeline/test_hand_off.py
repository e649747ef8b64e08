from __future__ import annotations

import pytest
from seawall.ingest.v1 import ingest_pb2

from pipeline.errors import InvalidRequest
from pipeline.hand_off import HandOff, HandOffChoice

EITHER = HandOffChoice(HandOff.DIRECT, frozenset({HandOff.STREAM}))


def test_numbers_are_those_of_the_wire() -> None:
    wire = {f"HAND_OFF_{way.name}": way.value for way in HandOff}
    assert {"HAND_OFF_UNSPECIFIED": 0, **wire} == dict(ingest_pb2.HandOff.items())


@pytest.mark.parametrize("asked", [None, 0, HandOff.DIRECT])
def test_without_a_wish_the_operator_chooses(asked: int | None) -> None:
    assert HandOffChoice(HandOff.DIRECT).of(asked) is HandOff.DIRECT


def test_a_request_may_ask_for_what_is_allowed() -> None:
    assert EITHER.of(HandOff.STREAM) is HandOff.STREAM


@pytest.mark.parametrize(("asked", "told"), [(HandOff.DIRECT, "is direct"), (7, "is 7"), (-1, "is -1")])
def test_what_is_not_allowed_is_named_with_what_is(asked: int, told: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        HandOffChoice().of(asked)
    [violation] = refused.value.violations
    assert (violation.field, violation.problem) == ("hand_off", told)
    assert violation.allowed == "stream; absent: stream"
