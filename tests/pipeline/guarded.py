"""A real server behind the guard, with methods of every shape that do what the request says."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import StringValue

from pipeline.auth import AnyOf, ApiKeys, current_caller
from pipeline.errors import InvalidRequest, Overloaded, Violation
from pipeline.guard import Guard, Observe
from pipeline.method_scopes import ANY_KEY, METHOD_SCOPES
from pipeline.server import channel_options
from scripts.system.ports import HOST

KEY = "the-key-of-these-tests"
WITH_KEY = (("api-key", KEY),)
SECRET = "what somebody said"
SERVICE = "seawall.test.v1.Shapes"
SHAPE_SCOPES: dict[str, AnyOf] = {
    f"/{SERVICE}/{method}": ANY_KEY for method in ("One", "Many", "Written", "Forever", "Collected", "Each")
}


async def one(request: StringValue, context: grpc.aio.ServicerContext[Any, Any]) -> StringValue:
    if request.value == "wait":
        await asyncio.sleep(60)
    return reply(request)


async def many(
    request: StringValue, context: grpc.aio.ServicerContext[Any, Any]
) -> AsyncIterator[StringValue]:
    yield StringValue(value="first")
    yield reply(request)


async def written(request: StringValue, context: grpc.aio.ServicerContext[Any, Any]) -> None:
    await context.write(StringValue(value="first"))
    await context.write(reply(request))


async def forever(request: StringValue, context: grpc.aio.ServicerContext[Any, Any]) -> None:
    await context.write(request)
    await asyncio.sleep(600)


async def collected(
    requests: AsyncIterator[StringValue], context: grpc.aio.ServicerContext[Any, Any]
) -> StringValue:
    return StringValue(value=",".join([reply(request).value async for request in requests]))


async def each(
    requests: AsyncIterator[StringValue], context: grpc.aio.ServicerContext[Any, Any]
) -> AsyncIterator[StringValue]:
    async for request in requests:
        yield reply(request)


def reply(request: StringValue) -> StringValue:
    """The request back, or the error that it asks for, or who the caller is."""
    if request.value == "who":
        return StringValue(value=current_caller().name)
    if request.value == "bug":
        raise ValueError(SECRET)
    if request.value == "invalid":
        raise InvalidRequest((Violation("content", "is missing", "text"),))
    if request.value == "full":
        raise Overloaded("the queue is full", retry_after_s=2.5)
    return request


def shapes() -> grpc.GenericRpcHandler:
    coding: dict[str, Callable[..., Any]] = {
        "request_deserializer": StringValue.FromString,
        "response_serializer": StringValue.SerializeToString,
    }
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "One": grpc.unary_unary_rpc_method_handler(one, **coding),
            "Many": grpc.unary_stream_rpc_method_handler(many, **coding),
            "Written": grpc.unary_stream_rpc_method_handler(written, **coding),
            "Forever": grpc.unary_stream_rpc_method_handler(forever, **coding),
            "Collected": grpc.stream_unary_rpc_method_handler(collected, **coding),
            "Each": grpc.stream_stream_rpc_method_handler(each, **coding),
        },
    )


def guarded_server(
    *, observe: Observe = lambda *_: None, keys: ApiKeys | None = None, most_calls: float = math.inf
) -> grpc.aio.Server:
    """A server with a guard, which listens nowhere yet."""
    scopes = {**METHOD_SCOPES, **SHAPE_SCOPES}
    guard = Guard(keys or ApiKeys([KEY]), observe, scopes, most_calls=most_calls)
    return grpc.aio.server(interceptors=(guard,), options=channel_options())


@asynccontextmanager
async def serving(
    register: Callable[[grpc.aio.Server], None],
    *,
    observe: Observe = lambda *_: None,
    keys: ApiKeys | None = None,
    most_calls: float = math.inf,
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server with a guard."""
    server = guarded_server(observe=observe, keys=keys, most_calls=most_calls)
    register(server)
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"{HOST}:{port}", options=channel_options()) as channel:
        yield channel
    await server.stop(None)


async def call(
    channel: grpc.aio.Channel, method: str, *requests: bytes, metadata: tuple[tuple[str, str], ...] = WITH_KEY
) -> list[bytes]:
    """Calls a method of `SERVICE` with bytes, in its shape; gives all answers."""
    path, bare = f"/{SERVICE}/{method}", plain(channel)
    match method:
        case "One":
            return [await bare.unary_unary(path)(requests[0], metadata=metadata, timeout=10)]
        case "Many" | "Written":
            return [a async for a in bare.unary_stream(path)(requests[0], metadata=metadata, timeout=10)]
        case "Collected":
            return [await bare.stream_unary(path)(iter(requests), metadata=metadata, timeout=10)]
        case _:
            stream = bare.stream_stream(path)(iter(requests), metadata=metadata, timeout=10)
            return [a async for a in stream]


def plain(channel: grpc.aio.Channel) -> Any:
    """The channel; without codecs it sends and gives bytes, which its type does not say."""
    return channel
