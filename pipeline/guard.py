"""The interceptor in front of every method: keys, bytes that do not parse, and errors as statuses."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
import structlog
from google.protobuf.message import DecodeError

from pipeline.auth import ApiKeys
from pipeline.errors import SeawallError, Unauthenticated, Unparsable
from pipeline.status import abort, status_of

OPEN_SERVICES = ("grpc.health.v1.Health",)
"""What may be called without a key: health, because whoever asks may have none."""

OURS = "/seawall."
"""Methods under this prefix get their errors mapped; health and reflection map their own."""

REFUSAL_SECONDS = 1.0
"""How long a refused stream is read on, unlooked at, for its client to come to the end of its writing."""

Observe = Callable[[str, str, float], None]
"""Takes the full method name, the status code's name, and the seconds that the call took."""

if TYPE_CHECKING:  # grpc's own classes take no parameters at run time
    Handler = grpc.RpcMethodHandler[Any, Any]

_log = structlog.get_logger(__name__)
_UNPARSABLE = object()


class Guard(grpc.aio.ServerInterceptor):
    """Lets a call through only with a key, and answers errors by the table of `pipeline.status`."""

    def __init__(self, keys: ApiKeys, observe: Observe) -> None:
        self._keys = keys
        self._observe = observe
        self._guarded: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Answers with the handler of the method, or one that refuses, in the same of the four RPC shapes."""
        method: str = handler_call_details.method
        if method.split("/")[1] in OPEN_SERVICES:
            return await continuation(handler_call_details)
        try:
            self._keys.check(handler_call_details.invocation_metadata)
        except Unauthenticated as error:
            handler = await continuation(handler_call_details)
            if handler is not None:  # a name that somebody invented would become a label of a metric
                self._observe(method, grpc.StatusCode.UNAUTHENTICATED.name, 0.0)
            return _refusal(handler, error)
        guarded = self._guarded.get(method)
        if guarded is None:
            handler = await continuation(handler_call_details)
            if handler is None or not method.startswith(OURS):
                return handler
            guarded = self._guarded[method] = self._guard(method, handler)
        return guarded

    def _guard(self, method: str, handler: Handler) -> Handler:
        behaviour = _behaviour(handler)
        observe = self._observe
        parsed = _all_parsed if handler.request_streaming else _parsed

        async def answer(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            started = time.perf_counter()
            try:
                response = await behaviour(parsed(request), context)
            except asyncio.CancelledError:
                observe(method, grpc.StatusCode.CANCELLED.name, time.perf_counter() - started)
                raise
            except Exception as error:  # noqa: BLE001  # every error has its status, the unknown ones INTERNAL
                await _fail(method, context, error, started, observe)
            observe(method, grpc.StatusCode.OK.name, time.perf_counter() - started)
            return response

        async def answer_stream(
            request: Any, context: grpc.aio.ServicerContext[Any, Any]
        ) -> AsyncIterator[Any]:
            started = time.perf_counter()
            try:
                async for response in behaviour(parsed(request), context):
                    yield response
            except (asyncio.CancelledError, GeneratorExit):
                observe(method, grpc.StatusCode.CANCELLED.name, time.perf_counter() - started)
                raise
            except Exception as error:  # noqa: BLE001  # as above
                await _fail(method, context, error, started, observe)
            observe(method, grpc.StatusCode.OK.name, time.perf_counter() - started)

        return _same_shape(
            handler,
            answer_stream if handler.response_streaming and not _writes_itself(behaviour) else answer,
            _tolerant(handler.request_deserializer),
        )


async def _fail(
    method: str,
    context: grpc.aio.ServicerContext[Any, Any],
    error: Exception,
    started: float,
    observe: Observe,
) -> None:
    status = status_of(error)
    code = next(c for c in grpc.StatusCode if c.value[0] == status.code)
    if not isinstance(error, SeawallError):
        # The exception's own text may hold content, so only its type and place are written down.
        _log.error("rpc_failed", method=method, exc_type=type(error).__name__, where=_where(error))
    observe(method, code.name, time.perf_counter() - started)
    await abort(context, error)


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "unknown"


def _tolerant(deserialize: Callable[[bytes], Any] | None) -> Callable[[bytes], Any]:
    # grpc.aio answers UNKNOWN where a deserializer raises, before any handler has a say.
    def parse(data: bytes) -> Any:
        try:
            return deserialize(data) if deserialize else data
        except DecodeError:
            return _UNPARSABLE

    return parse


def _parsed(request: Any) -> Any:
    if request is _UNPARSABLE:
        raise Unparsable("the bytes are not the message that this method takes")
    return request


async def _all_parsed(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _parsed(request)


def _refusal(handler: Handler | None, error: Unauthenticated) -> Handler | None:
    async def refuse(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        if isinstance(request, AsyncIterator):
            await _drained(request)
        await abort(context, error)

    return None if handler is None else _same_shape(handler, refuse, None)


async def _drained(requests: AsyncIterator[Any]) -> None:
    # A Python client that is still writing when the status arrives reports INTERNAL in its place.
    with suppress(TimeoutError):
        async with asyncio.timeout(REFUSAL_SECONDS):
            async for _ in requests:
                pass


def _behaviour(handler: Handler) -> Callable[..., Any]:
    behaviour: Callable[..., Any] = next(
        b
        for b in (handler.unary_unary, handler.unary_stream, handler.stream_unary, handler.stream_stream)
        if b
    )
    return behaviour


def _writes_itself(behaviour: Callable[..., Any]) -> bool:
    """Whether a method of a stream of responses writes them to its context, where others yield them."""
    return inspect.iscoroutinefunction(behaviour)


def _same_shape(
    handler: Handler, behaviour: Callable[..., Any], deserialize: Callable[[bytes], Any] | None
) -> Handler:
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[bool(handler.request_streaming), bool(handler.response_streaming)]
    return make(behaviour, request_deserializer=deserialize, response_serializer=handler.response_serializer)
