"""The oracle lets what is promised pass, and nothing else."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from seawall.events.v1 import events_pb2
from seawall.ingest.v1 import ingest_pb2
from seawall.screening.v1 import screening_pb2, verdict_pb2

from pipeline.errors import InvalidRequest, Overloaded, Unparsable, Violation
from pipeline.status import status_of
from scripts.fuzz.call import INGEST, SCREENING, Answer, Call, End, Target
from scripts.fuzz.oracle import accepted, complaints

CODES = grpc.StatusCode
BAD = events_pb2.FieldViolation(field="content", problem="is missing", allowed="1 to 10000 characters")


def a_call(method: str = f"{INGEST}Ingest", **changes: Any) -> Call:
    target = Target.INGEST if method.startswith(INGEST) else Target.SCREENER
    return Call(**{"kind": "zalgo", "target": target, "method": method, "messages": (b"",), **changes})


def refused_by(error: Exception, code: grpc.StatusCode) -> Answer:
    status = status_of(error)
    return Answer(code, status.message, status)


def outcome(**fields: Any) -> Answer:
    response = ingest_pb2.IngestResponse(outcome=ingest_pb2.Outcome(**fields))
    return Answer(CODES.OK, responses=(response.SerializeToString(),))


def screened(result: screening_pb2.ScreenResult) -> Answer:
    response = screening_pb2.ScreenBatchResponse(results=[result])
    return Answer(CODES.OK, responses=(response.SerializeToString(),))


ACCEPTED = outcome(code=ingest_pb2.OUTCOME_CODE_ACCEPTED, event_id="one")
ONE = screening_pb2.ScreenBatchRequest(events=[events_pb2.Event()]).SerializeToString()
TWO = ingest_pb2.IngestBatchRequest(events=[events_pb2.Event()] * 2).SerializeToString()
INVALID = InvalidRequest((Violation("content", "is missing", "1 to 10000 characters"),))


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (a_call(), ACCEPTED),
        (a_call(), outcome(code=ingest_pb2.OUTCOME_CODE_REJECTED, violations=[BAD])),
        (a_call(), refused_by(INVALID, CODES.INVALID_ARGUMENT)),
        (
            a_call(),
            refused_by(
                Unparsable("the bytes are not the message that this method takes"), CODES.INVALID_ARGUMENT
            ),
        ),
        (a_call(), refused_by(Overloaded("full"), CODES.RESOURCE_EXHAUSTED)),
        (a_call(kind="oversized"), Answer(CODES.RESOURCE_EXHAUSTED, "larger than max")),
        (a_call(end=End.WAITS), Answer(CODES.DEADLINE_EXCEEDED)),
        (a_call(end=End.LEAVES), Answer(CODES.CANCELLED)),
        (a_call(messages=()), Answer(CODES.DEADLINE_EXCEEDED)),
        (a_call("/no/such"), Answer(CODES.UNIMPLEMENTED)),
        (
            a_call(f"{SCREENING}ScreenBatch", messages=(ONE,)),
            screened(screening_pb2.ScreenResult(verdict=verdict_pb2.Verdict(risk_score=1))),
        ),
    ],
)
def test_what_is_promised_passes(call: Call, answer: Answer) -> None:
    assert complaints(call, answer) == []


@pytest.mark.parametrize(
    ("call", "answer", "told"),
    [
        (a_call(), Answer(CODES.INTERNAL, "internal error"), "INTERNAL"),
        (a_call(), Answer(CODES.UNKNOWN, "Unexpected"), "UNKNOWN"),
        (a_call(), Answer(CODES.DEADLINE_EXCEEDED, hung=True), "no status"),
        (a_call(), Answer(CODES.DEADLINE_EXCEEDED), "not answered"),
        (a_call(), Answer(CODES.CANCELLED), "by the service"),
        (a_call(), Answer(CODES.UNAVAILABLE, "Socket closed"), "without a delay"),
        (a_call(), Answer(CODES.RESOURCE_EXHAUSTED, "full"), "without a delay"),
        (a_call(), Answer(CODES.INVALID_ARGUMENT, "bad"), "without a violation"),
        (
            a_call(),
            refused_by(InvalidRequest((Violation("", "bad", "good"),)), CODES.INVALID_ARGUMENT),
            "lacks",
        ),
        (a_call(), outcome(code=ingest_pb2.OUTCOME_CODE_REJECTED), "without a violation"),
        (a_call(), outcome(code=ingest_pb2.OUTCOME_CODE_RETRY_LATER), "without a delay"),
        (a_call(), outcome(code=ingest_pb2.OUTCOME_CODE_ACCEPTED), "without an id"),
        (a_call(), outcome(code=ingest_pb2.OUTCOME_CODE_DUPLICATE), "of nothing"),
        (a_call(f"{INGEST}IngestStream"), Answer(CODES.OK), "0 answers to 1"),
        (a_call(f"{INGEST}IngestBatch", messages=(TWO,)), Answer(CODES.OK), "0 outcomes for 2"),
        (a_call(f"{SCREENING}ScreenBatch"), screened(screening_pb2.ScreenResult()), "nothing in it"),
        (
            a_call(f"{SCREENING}ScreenBatch"),
            screened(screening_pb2.ScreenResult(verdict=verdict_pb2.Verdict(risk_score=float("nan")))),
            "outside of 0 to 1",
        ),
    ],
)
def test_what_is_not_is_told(call: Call, answer: Answer, told: str) -> None:
    assert any(told in complaint for complaint in complaints(call, answer))


def test_accepted_events_are_owed_verdicts() -> None:
    assert accepted(a_call(), ACCEPTED) == ["one"]
    assert accepted(a_call(), Answer(CODES.UNAVAILABLE)) == []
