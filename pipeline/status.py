"""The one table that turns an error into a gRPC status with `google.rpc` details."""

from __future__ import annotations

import re
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from pipeline import errors

CODES: dict[type[errors.SeawallError], grpc.StatusCode] = {
    errors.InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    errors.Unparsable: grpc.StatusCode.INVALID_ARGUMENT,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    errors.QuotaExceeded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.StoreUnavailable: grpc.StatusCode.UNAVAILABLE,
    errors.ModelUnavailable: grpc.StatusCode.UNAVAILABLE,
    errors.IndexUnavailable: grpc.StatusCode.UNAVAILABLE,
    errors.WatcherTooSlow: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.WatchInterrupted: grpc.StatusCode.UNAVAILABLE,
    errors.PositionLost: grpc.StatusCode.OUT_OF_RANGE,
    errors.ModelOutputInvalid: grpc.StatusCode.UNAVAILABLE,
}
"""Every error that a caller can meet; anything else is INTERNAL, and its details go to the log alone.

DEADLINE_EXCEEDED is gRPC's own answer: it cancels the call, and what is cancelled is not computed.
"""

_DETAILS_KEY = "grpc-status-details-bin"
_MODEL_FAULT_RETRY_S = 5.0


def status_of(error: BaseException) -> status_pb2.Status:
    """The status that tells a caller about `error`; generic where the error is none of ours."""
    code = CODES.get(type(error)) if isinstance(error, errors.SeawallError) else None
    if code is None:
        return status_pb2.Status(code=_number(grpc.StatusCode.INTERNAL), message="internal error")
    message = (
        str(error) if not isinstance(error, errors.ModelOutputInvalid) else "the model gave no valid answer"
    )
    return status_pb2.Status(code=_number(code), message=message, details=_details(error))


def answer_error(context: grpc.aio.ServicerContext[Any, Any], error: BaseException) -> grpc.StatusCode:
    """Has the call end with the status of `error` when its handler returns; that status's code.

    Not by `context.abort`: what that raises is kept by the call, and so keeps the call by its traceback. The
    fifty objects of each refused call were left to Python's collector, which stopped the service for them.
    """
    status = status_of(error)
    code = _BY_NUMBER[status.code]
    context.set_code(code)
    context.set_details(status.message)
    if status.details:
        context.set_trailing_metadata(((_DETAILS_KEY, status.SerializeToString()),))
    return code


def details_of(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    """Reads the `google.rpc.Status` that a failed call carries; None where it carries none."""
    for key, value in tuple(error.trailing_metadata()):
        if key == _DETAILS_KEY and isinstance(value, bytes):
            return status_pb2.Status.FromString(value)
    return None


def _details(error: BaseException) -> list[AnyMessage]:
    match error:
        case errors.InvalidRequest():
            return [_bad_fields(error)]
        case errors.Forbidden():
            return [_info(error, key=error.key, scope=error.scope)]
        case errors.PositionLost():
            return [_info(error, oldest_position=error.position)]
        case errors.ModelOutputInvalid():
            return [_retry(_MODEL_FAULT_RETRY_S)]
        case errors.Retry():
            return [_retry(error.retry_after_s), *_why(error)]
    return []


def _why(error: errors.Retry) -> list[AnyMessage]:
    """What there is to tell beside the delay."""
    if isinstance(error, errors.WatchEnded):
        return [_info(error, position=error.position)]
    if isinstance(error, errors.QuotaExceeded):
        violation = error_details_pb2.QuotaFailure.Violation(
            subject=f"key:{error.key}", description=error.limit
        )
        return [
            _packed(error_details_pb2.QuotaFailure(violations=[violation])),
            _info(error, key=error.key, limit=error.limit),
        ]
    return []


def _bad_fields(error: errors.InvalidRequest) -> AnyMessage:
    violation = error_details_pb2.BadRequest.FieldViolation
    return _packed(
        error_details_pb2.BadRequest(
            field_violations=[
                violation(field=v.field, description=f"{v.problem}; allowed: {v.allowed}")
                for v in error.violations
            ]
        )
    )


def _retry(delay_s: float) -> AnyMessage:
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromMilliseconds(round(delay_s * 1000))
    return _packed(info)


def _info(error: errors.SeawallError, **metadata: str) -> AnyMessage:
    reason = re.sub("(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).upper()
    return _packed(error_details_pb2.ErrorInfo(reason=reason, domain="seawall", metadata=metadata))


def _packed(message: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed


def _number(code: grpc.StatusCode) -> int:
    return int(code.value[0])


_BY_NUMBER = {_number(code): code for code in grpc.StatusCode}
