"""The interceptor in front of every method: keys, bytes that do not parse, and errors as statuses."""

from __future__ import annotations

import asyncio
import inspect
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
import structlog
from google.protobuf.message import DecodeError

from pipeline.auth import AnyOf, ApiKeys, Key, set_caller
from pipeline.errors import Forbidden, Overloaded, SeawallError, Unauthenticated, Unparsable
from pipeline.method_scopes import METHOD_SCOPES
from pipeline.status import CODES, answer_error

OPEN_SERVICES = ("grpc.health.v1.Health",)
"""What may be called without a key: health, because whoever asks may have none."""

REFUSAL_SECONDS = 1.0
"""How long a refused stream is read on, unlooked at, for its client to come to the end of its writing."""

Parse = Callable[[bytes], Any] | None
"""What makes a message of its bytes; None leaves them as they are."""

Observe = Callable[[str, str, float], None]
"""Takes the full method name, the status code's name, and the seconds that the call took."""

if TYPE_CHECKING:  # grpc's own classes take no parameters at run time
    Handler = grpc.RpcMethodHandler[Any, Any]

_log = structlog.get_logger(__name__)


class Guard(grpc.aio.ServerInterceptor):
    """Lets a call through only with a key for its method, and answers errors by `pipeline.status`' table."""

    def __init__(
        self,
        keys: ApiKeys,
        observe: Observe,
        scopes: Mapping[str, AnyOf] = METHOD_SCOPES,
        *,
        most_calls: float = math.inf,
    ) -> None:
        """Takes the keys in force, who counts the calls, the scopes that each method wants, and a bound.

        `most_calls` may be under way at once; gRPC's own bound says no word of when to come again.
        """
        self.keys = keys
        self._observe = observe
        self._scopes = scopes
        self._most_calls = most_calls
        self._under_way = 0
        self._guarded: dict[str, Handler] = {}
        self._lasting: set[_Call] = set()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Answers with the handler of the method, guarded, in the same of the four RPC shapes."""
        method: str = handler_call_details.method
        if method.removeprefix("/").partition("/")[0] in OPEN_SERVICES:
            return await continuation(handler_call_details)
        guarded = self._guarded.get(method)
        if guarded is None:
            handler = await continuation(handler_call_details)
            if handler is None:  # a name that somebody invented would become a label of a metric
                return None
            guarded = self._guarded[method] = self._guard(method, handler)
        return guarded

    def _guard(self, method: str, handler: Handler) -> Handler:
        behaviour = _behaviour(handler)
        parsed = _all_parsed if handler.request_streaming else _parsed
        parse = handler.request_deserializer
        lasting = bool(handler.request_streaming or handler.response_streaming)
        guarded = self._answer
        if handler.response_streaming and not _writes_itself(behaviour):
            guarded = self._answer_stream
        return _same_shape(
            handler,
            guarded(
                method, lambda request, context: behaviour(parsed(parse, request), context), lasting=lasting
            ),
        )

    def _answer(self, method: str, behaviour: Callable[..., Any], *, lasting: bool) -> Callable[..., Any]:
        observe = self._observe

        async def answer(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            call = await self._enter(method, request, context, lasting=lasting)
            if call is None:
                return None
            started = time.perf_counter()
            try:
                response = await behaviour(request, context)
            except asyncio.CancelledError:
                if call.ended is not None:
                    _fail(method, context, call.ended, started, observe)
                    return None
                observe(method, grpc.StatusCode.CANCELLED.name, time.perf_counter() - started)
                raise
            except Exception as error:  # noqa: BLE001  # every error has its status, the unknown ones INTERNAL
                _fail(method, context, error, started, observe)
                return None
            finally:
                self._under_way -= 1
            observe(method, grpc.StatusCode.OK.name, time.perf_counter() - started)
            return response

        return answer

    def _answer_stream(
        self, method: str, behaviour: Callable[..., Any], *, lasting: bool
    ) -> Callable[..., Any]:
        observe = self._observe

        async def answer(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
            call = await self._enter(method, request, context, lasting=lasting)
            if call is None:
                return
            started = time.perf_counter()
            try:
                async for response in behaviour(request, context):
                    yield response
            except (asyncio.CancelledError, GeneratorExit) as over:
                if call.ended is not None and isinstance(over, asyncio.CancelledError):
                    _fail(method, context, call.ended, started, observe)
                    return
                observe(method, grpc.StatusCode.CANCELLED.name, time.perf_counter() - started)
                raise
            except Exception as error:  # noqa: BLE001  # as above
                _fail(method, context, error, started, observe)
                return
            finally:
                self._under_way -= 1
            observe(method, grpc.StatusCode.OK.name, time.perf_counter() - started)

        return answer

    def end_calls_of_ended_keys(self) -> None:
        """Ends the streams and watches of keys that are in force no more; they could last for days."""
        for call in tuple(self._lasting):
            try:
                self.keys.must_be_in_force(call.key)
            except Unauthenticated as error:
                call.end(error)

    async def _enter(
        self, method: str, request: Any, context: grpc.aio.ServicerContext[Any, Any], *, lasting: bool
    ) -> _Call | None:
        """Says whose call this is, or ends it (None); before anything of the request is looked at."""
        metadata = context.invocation_metadata() or ()
        try:
            key = self.keys.enter(metadata, self._scopes.get(method), door="grpc", at=method)
            if self._under_way >= self._most_calls:
                raise Overloaded(f"{self._under_way} calls are under way already", retry_after_s=0.1)
        except (Unauthenticated, Forbidden, Overloaded) as error:
            self._observe(method, CODES[type(error)].name, 0.0)
            if isinstance(request, AsyncIterator):
                await _drained(request)
            answer_error(context, error)
            return None
        # Here and not in the interceptor, so that it is known wherever the method itself runs.
        set_caller(key.caller)
        call = _Call(key)
        if lasting:
            self._lasting.add(call)
            call.task.add_done_callback(lambda _: self._lasting.discard(call))
        self._under_way += 1
        return call


class _Call:
    """A call under way, and why it was ended from here."""

    def __init__(self, key: Key) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # gRPC runs each call as a task
        self.task = task
        self.key = key
        self.ended: Unauthenticated | None = None

    def end(self, why: Unauthenticated) -> None:
        """Ends it with that status."""
        if self.ended is None:
            self.ended = why
            self.task.cancel()


def _fail(
    method: str,
    context: grpc.aio.ServicerContext[Any, Any],
    error: Exception,
    started: float,
    observe: Observe,
) -> None:
    code = answer_error(context, error)
    if not isinstance(error, SeawallError):
        # The exception's own text may hold content, so only its type and place are written down.
        _log.error("rpc_failed", method=method, exc_type=type(error).__name__, where=_where(error))
    observe(method, code.name, time.perf_counter() - started)


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "unknown"


def _parsed(parse: Parse, data: bytes) -> Any:
    # Not left to grpc.aio, which answers UNKNOWN where a deserializer raises, before any handler has a say.
    try:
        return parse(data) if parse else data
    except DecodeError:
        raise Unparsable("the bytes are not the message that this method takes") from None


async def _all_parsed(parse: Parse, requests: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    async for data in requests:
        yield _parsed(parse, data)


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


def _same_shape(handler: Handler, behaviour: Callable[..., Any]) -> Handler:
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[bool(handler.request_streaming), bool(handler.response_streaming)]
    return make(behaviour, request_deserializer=None, response_serializer=handler.response_serializer)
