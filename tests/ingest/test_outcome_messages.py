from __future__ import annotations

from datetime import timedelta

import pytest
from seawall.ingest.v1 import ingest_pb2

from ingest.intake import Accepted, Duplicate, Outcome, RetryLater
from ingest.outcome_messages import batch_response, outcome_to_proto
from pipeline.hand_off import HandOff


@pytest.mark.parametrize("longest", [1, 121, 122, 128])
def test_a_batch_of_accepted_events_is_answered_as_each_of_them(longest: int) -> None:
    lengths = (1, longest, 36)
    outcomes: list[Outcome] = [Accepted("e" * length, way) for way in HandOff for length in lengths]
    answer = batch_response(outcomes)
    assert list(answer.outcomes) == [outcome_to_proto(outcome) for outcome in outcomes]
    assert ingest_pb2.IngestBatchResponse.FromString(answer.SerializeToString()) == answer


def test_of_a_mixed_batch_each_has_its_own_answer() -> None:
    outcomes: list[Outcome] = [
        Duplicate("a", "b"),
        Accepted("c", HandOff.STREAM),
        RetryLater("d", "full", 1.5),
    ]
    duplicate, accepted, later = batch_response(outcomes).outcomes
    assert duplicate.duplicate_of == "b"
    assert (accepted.event_id, accepted.hand_off) == ("c", ingest_pb2.HAND_OFF_STREAM)
    assert later.retry_after.ToTimedelta() == timedelta(seconds=1.5)
