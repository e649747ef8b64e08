from __future__ import annotations

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2

from pipeline import errors
from pipeline.status import CODES, status_of

VIOLATION = errors.Violation("content", "is missing", "text")
CODE = grpc.StatusCode

TABLE: list[tuple[errors.SeawallError, grpc.StatusCode, float | None]] = [
    (errors.InvalidRequest((VIOLATION,)), CODE.INVALID_ARGUMENT, None),
    (errors.Unparsable("no message"), CODE.INVALID_ARGUMENT, None),
    (errors.Unauthenticated("no key"), CODE.UNAUTHENTICATED, None),
    (errors.Forbidden("not for this"), CODE.PERMISSION_DENIED, None),
    (errors.Overloaded("full", retry_after_s=2.5), CODE.RESOURCE_EXHAUSTED, 2.5),
    (errors.QuotaExceeded(key="bot", limit="5 a second", retry_after_s=0.2), CODE.RESOURCE_EXHAUSTED, 0.2),
    (errors.StoreUnavailable("away"), CODE.UNAVAILABLE, 1.0),
    (errors.ModelUnavailable("away", retry_after_s=0.25), CODE.UNAVAILABLE, 0.25),
    (errors.IndexUnavailable("away"), CODE.UNAVAILABLE, 1.0),
    (errors.WatcherTooSlow("slow", "1-0_2-0"), CODE.RESOURCE_EXHAUSTED, 1.0),
    (errors.WatchInterrupted("stops", "1-0_2-0"), CODE.UNAVAILABLE, 1.0),
    (errors.PositionLost("trimmed", "1-0_2-0"), CODE.OUT_OF_RANGE, None),
    (errors.ModelOutputInvalid("logits of somebody's text"), CODE.UNAVAILABLE, 5.0),
]
INTERNAL: list[Exception] = [
    errors.EntryUndecodable("hush"),
    errors.TaskFailed("hush"),
    errors.StartupFailed("hush"),
    ValueError("hush"),
    KeyError("hush"),
    RuntimeError("hush"),
]


def leaves(kind: type[errors.SeawallError]) -> set[type[errors.SeawallError]]:
    ours = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    below = {leaf for child in ours for leaf in leaves(child)}
    return below or {kind}


def retry_after_s(details: list[AnyMessage]) -> float | None:
    for detail in details:
        info = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            return float(info.retry_delay.ToMilliseconds()) / 1000
    return None


@pytest.mark.parametrize(("error", "code", "delay_s"), TABLE, ids=lambda v: type(v).__name__)
def test_each_error_has_its_code_and_its_delay(
    error: errors.SeawallError, code: grpc.StatusCode, delay_s: float | None
) -> None:
    status = status_of(error)
    assert status.code == code.value[0]
    assert retry_after_s(list(status.details)) == delay_s


def test_the_table_has_every_error_that_a_caller_can_meet() -> None:
    assert {type(error) for error, _, _ in TABLE} == set(CODES)
    for root in (errors.Retry, errors.Reject):
        assert leaves(root) <= set(CODES)


def test_every_error_is_either_for_callers_or_internal() -> None:
    internal = {type(error) for error in INTERNAL if isinstance(error, errors.SeawallError)}
    raised_beside_its_leaf = {errors.ModelUnavailable}
    assert leaves(errors.SeawallError) | raised_beside_its_leaf == set(CODES) | internal


def test_every_bad_field_is_named_in_the_details() -> None:
    other = errors.Violation("author_id", "has 129 characters", "1 to 128")
    status = status_of(errors.InvalidRequest((VIOLATION, other)))
    [detail] = status.details
    bad = error_details_pb2.BadRequest()
    assert detail.Unpack(bad)
    assert [(v.field, v.description) for v in bad.field_violations] == [
        ("content", "is missing; allowed: text"),
        ("author_id", "has 129 characters; allowed: 1 to 128"),
    ]


@pytest.mark.parametrize("error", INTERNAL, ids=lambda e: type(e).__name__)
def test_anything_else_is_internal_and_tells_nothing(error: Exception) -> None:
    status = status_of(error)
    assert (status.code, status.message) == (CODE.INTERNAL.value[0], "internal error")
    assert not status.details


def test_what_a_model_answered_is_not_told() -> None:
    assert "somebody" not in status_of(TABLE[-1][0]).message


@pytest.mark.parametrize(
    ("error", "reason", "named"),
    [
        (errors.WatcherTooSlow("slow", "1-0_2-0"), "WATCHER_TOO_SLOW", "position"),
        (errors.WatchInterrupted("stops", "1-0_2-0"), "WATCH_INTERRUPTED", "position"),
        (errors.PositionLost("trimmed", "1-0_2-0"), "POSITION_LOST", "oldest_position"),
    ],
)
def test_the_end_of_a_watch_names_the_position_to_go_on_from(
    error: errors.SeawallError, reason: str, named: str
) -> None:
    info = error_details_pb2.ErrorInfo()
    assert status_of(error).details[-1].Unpack(info)
    assert (info.reason, info.domain, dict(info.metadata)) == (reason, "seawall", {named: "1-0_2-0"})


def test_a_quota_is_named_with_its_key() -> None:
    status = status_of(errors.QuotaExceeded(key="bot", limit="5 events per second", retry_after_s=0.2))
    _, quota_detail, info_detail = status.details
    quota, info = error_details_pb2.QuotaFailure(), error_details_pb2.ErrorInfo()
    assert quota_detail.Unpack(quota)
    assert [(v.subject, v.description) for v in quota.violations] == [("key:bot", "5 events per second")]
    assert info_detail.Unpack(info)
    assert (info.reason, info.domain) == ("QUOTA_EXCEEDED", "seawall")
    assert dict(info.metadata) == {"key": "bot", "limit": "5 events per second"}


def test_what_is_forbidden_names_the_scope_that_it_needs() -> None:
    [detail] = status_of(errors.Forbidden("not for this", key="bot", scope="read")).details
    info = error_details_pb2.ErrorInfo()
    assert detail.Unpack(info)
    assert (info.reason, dict(info.metadata)) == ("FORBIDDEN", {"key": "bot", "scope": "read"})
