"""What must hold of every answer, whatever was asked. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from seawall.events.v1 import events_pb2
from seawall.ingest.v1 import ingest_pb2
from seawall.screening.v1 import screening_pb2, verdict_pb2

from scripts.fuzz.call import INGEST, SCREENING, Answer, Call, End

_CODES = grpc.StatusCode
_ALLOWED = frozenset(
    {
        _CODES.OK,
        _CODES.INVALID_ARGUMENT,
        _CODES.UNAUTHENTICATED,
        _CODES.RESOURCE_EXHAUSTED,
        _CODES.UNAVAILABLE,
        _CODES.UNIMPLEMENTED,
        _CODES.OUT_OF_RANGE,
        _CODES.CANCELLED,
        _CODES.DEADLINE_EXCEEDED,
    }
)
_TRANSPORT_KINDS = frozenset({"oversized", "metadata"})
"""What gRPC itself refuses, before any method: it says why in words, without details."""

_BATCHES: dict[str, type[Message]] = {
    f"{INGEST}IngestBatch": ingest_pb2.IngestBatchRequest,
    f"{SCREENING}ScreenBatch": screening_pb2.ScreenBatchRequest,
}
_RESPONSES: dict[str, type[Message]] = {
    f"{INGEST}Ingest": ingest_pb2.IngestResponse,
    f"{INGEST}IngestBatch": ingest_pb2.IngestBatchResponse,
    f"{INGEST}IngestStream": ingest_pb2.IngestStreamResponse,
    f"{SCREENING}Screen": screening_pb2.ScreenResponse,
    f"{SCREENING}ScreenBatch": screening_pb2.ScreenBatchResponse,
    f"{SCREENING}ScreenStream": screening_pb2.ScreenStreamResponse,
}


def accepted(call: Call, answer: Answer) -> list[str]:
    """Ids of the events that ingest has told ACCEPTED, and that must get their verdicts."""
    return [
        outcome.event_id
        for outcome in _outcomes(call, answer)
        if outcome.code == ingest_pb2.OUTCOME_CODE_ACCEPTED
    ]


def complaints(call: Call, answer: Answer) -> list[str]:
    """Promises that the answer breaks, a line each."""
    if answer.hung:
        return [f"no status, long after the deadline of {call.deadline_s:g} s"]
    if answer.lost:
        return []
    code = answer.code
    if code not in _ALLOWED:
        return [f"{code.name}: {answer.message[:200]}"]
    broken = list(_of_details(call, answer))
    # To a call of one message that comes without any, gRPC's server answers nothing: no handler hears of it.
    may_be_late = call.end is End.WAITS or call.method.endswith("WatchVerdicts") or not call.messages
    if code is _CODES.DEADLINE_EXCEEDED and not may_be_late:
        broken.append(f"not answered within {call.deadline_s:g} s")
    if code is _CODES.CANCELLED and call.end is not End.LEAVES:
        broken.append("CANCELLED by the service")
    broken += _of_count(call, answer)
    for outcome in _outcomes(call, answer):
        broken += _of_outcome(outcome)
    for result in _results(call, answer):
        broken += _of_result(result)
    return broken


def _of_details(call: Call, answer: Answer) -> Iterator[str]:
    details = answer.status.details if answer.status else ()
    if answer.code is _CODES.INVALID_ARGUMENT:
        bad = error_details_pb2.BadRequest()
        found = [v for each in details if each.Unpack(bad) for v in bad.field_violations]
        if any(not v.field or "allowed: " not in v.description for v in found):
            yield "INVALID_ARGUMENT with a violation that lacks its field or its range"
        if not found and "the bytes are not the message" not in answer.message:
            yield f"INVALID_ARGUMENT without a violation: {answer.message[:200]}"
    elif answer.code in {_CODES.RESOURCE_EXHAUSTED, _CODES.UNAVAILABLE}:
        retry = error_details_pb2.RetryInfo()
        if call.kind not in _TRANSPORT_KINDS and not any(each.Unpack(retry) for each in details):
            yield f"{answer.code.name} without a delay: {answer.message[:200]}"
    elif answer.code is _CODES.OUT_OF_RANGE:
        info = error_details_pb2.ErrorInfo()
        if not any(each.Unpack(info) and info.metadata["oldest_position"] for each in details):
            yield "OUT_OF_RANGE without a position to begin at"


def _of_count(call: Call, answer: Answer) -> Iterator[str]:
    if answer.code is not _CODES.OK or call.end is not End.CLOSES:
        return
    if call.method.endswith("IngestStream") and len(answer.responses) != len(call.messages):
        yield f"{len(answer.responses)} answers to {len(call.messages)} events of a stream"
    if request := _BATCHES.get(call.method):
        asked: Any = request.FromString(call.messages[0])
        got = len(_outcomes(call, answer)) + len(_results(call, answer))
        if got != len(asked.events):
            yield f"{got} outcomes for {len(asked.events)} events of a batch"


def _of_outcome(outcome: ingest_pb2.Outcome) -> Iterator[str]:
    match outcome.code:
        case ingest_pb2.OUTCOME_CODE_REJECTED:
            yield from _of_violations(outcome.violations)
        case ingest_pb2.OUTCOME_CODE_RETRY_LATER:
            if outcome.retry_after.ToNanoseconds() <= 0:
                yield "RETRY_LATER without a delay"
        case ingest_pb2.OUTCOME_CODE_DUPLICATE:
            if not outcome.duplicate_of:
                yield "DUPLICATE of nothing"
        case ingest_pb2.OUTCOME_CODE_ACCEPTED:
            if not outcome.event_id:
                yield "ACCEPTED without an id"
        case _:
            yield f"the outcome {outcome.code}"


def _of_result(result: screening_pb2.ScreenResult) -> Iterator[str]:
    match result.WhichOneof("result"):
        case "rejection":
            yield from _of_violations(result.rejection.violations)
        case "retry_after":
            if result.retry_after.ToNanoseconds() <= 0:
                yield "retry_after without a delay"
        case "verdict":
            yield from _of_verdict(result.verdict)
        case _:
            yield "a result with nothing in it"


def _of_verdict(verdict: verdict_pb2.Verdict) -> Iterator[str]:
    numbers = (verdict.risk_score, verdict.confidence, verdict.heuristic_score, verdict.model_score)
    if not all(math.isfinite(number) and 0 <= number <= 1 for number in numbers):
        yield f"a verdict with a number outside of 0 to 1: {numbers}"
    if any(flag.start > flag.end for flag in verdict.flags):
        yield "a flag that ends before it begins"


def _of_violations(violations: Sequence[events_pb2.FieldViolation]) -> Iterator[str]:
    if not violations:
        yield "refused without a violation"
    if any(not (v.field and v.problem and v.allowed) for v in violations):
        yield "refused with a violation that lacks its field, its problem or its range"


def _outcomes(call: Call, answer: Answer) -> list[ingest_pb2.Outcome]:
    found: list[ingest_pb2.Outcome] = []
    for response in _parsed(call, answer):
        if isinstance(response, ingest_pb2.IngestBatchResponse):
            found += response.outcomes
        elif isinstance(response, (ingest_pb2.IngestResponse, ingest_pb2.IngestStreamResponse)):
            found.append(response.outcome)
    return found


def _results(call: Call, answer: Answer) -> list[screening_pb2.ScreenResult]:
    found: list[screening_pb2.ScreenResult] = []
    for response in _parsed(call, answer):
        if isinstance(response, screening_pb2.ScreenBatchResponse):
            found += response.results
        elif isinstance(response, screening_pb2.ScreenResponse):
            found.append(screening_pb2.ScreenResult(verdict=response.verdict))
        elif isinstance(response, screening_pb2.ScreenStreamResponse) and response.HasField("result"):
            found.append(response.result)
    return found


def _parsed(call: Call, answer: Answer) -> list[Message]:
    kind = _RESPONSES.get(call.method)
    return [] if kind is None else [kind.FromString(response) for response in answer.responses]
