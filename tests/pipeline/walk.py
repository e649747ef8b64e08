"""A call of every method of every service, and of every HTTP route, from their descriptions."""

from __future__ import annotations

import importlib
import ssl
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

from pipeline.guard import OPEN_SERVICES
from scripts.system.services import ROOT

Metadata = Sequence[tuple[str, str]]
Status = tuple[grpc.StatusCode, str]
PROTOS = ROOT / "protos"


def stubs() -> list[Any]:
    """The generated modules of every proto file of the project that may have services."""
    files = sorted(PROTOS.glob("seawall/**/*_pb2_grpc.py"))
    assert files
    return [importlib.import_module(_module(file)) for file in files]


def methods() -> list[MethodDescriptor]:
    """Every method of every service of the project."""
    files: Iterable[FileDescriptor] = (
        importlib.import_module(_module(file)).DESCRIPTOR
        for file in sorted(PROTOS.glob("seawall/**/*_pb2.py"))
    )
    return [m for file in files for service in file.services_by_name.values() for m in service.methods]


def path_of(method: MethodDescriptor) -> str:
    """The method's full name, as it is called."""
    return f"/{method.containing_service.full_name}/{method.name}"


def register_all(server: grpc.aio.Server) -> None:
    """The services as generated, with nothing behind their methods, and reflection."""
    for module in stubs():
        for name in [name for name in vars(module) if name.endswith("Servicer")]:
            getattr(module, f"add_{name}_to_server")(getattr(module, name)(), server)
    reflection.enable_server_reflection((reflection.SERVICE_NAME,), server)


async def served_methods(channel: grpc.aio.Channel, metadata: Metadata) -> list[MethodDescriptor]:
    """The methods of a server, which tells of its services to this caller; all but health, which is open."""
    make: Any = reflection_pb2_grpc.ServerReflectionStub
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = make(channel).ServerReflectionInfo(iter([request]), metadata=metadata, timeout=20)
    names = [s.name async for answer in answers for s in answer.list_services_response.service]
    pool: Any = descriptor_pool.Default()
    return [m for name in names if name not in OPEN_SERVICES for m in pool.FindServiceByName(name).methods]


async def status_of(channel: grpc.aio.Channel, method: MethodDescriptor, metadata: Metadata) -> Status:
    """How a call of a method with an empty message ends, in its own of the four shapes."""
    make: Any = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }[method.client_streaming, method.server_streaming]
    request: object = iter([b""]) if method.client_streaming else b""
    call = make(path_of(method))(request, metadata=tuple(metadata), timeout=30)
    with suppress(grpc.aio.AioRpcError):
        _ = [answer async for answer in call] if method.server_streaming else await call
    return await call.code(), await call.details()


async def walk_grpc(
    channel: grpc.aio.Channel, of: Iterable[MethodDescriptor], metadata: Metadata
) -> dict[str, Status]:
    """How a call of each of these methods ends."""
    return {path_of(method): await status_of(channel, method, metadata) for method in of}


async def walk_http(
    url: str,
    description: Mapping[str, Any],
    headers: Mapping[str, str],
    context: ssl.SSLContext | None = None,
) -> dict[str, tuple[int, str]]:
    """Status and body of each route of an OpenAPI description."""
    ended = {}
    async with aiohttp.ClientSession(headers=headers) as session:
        for path, operations in description["paths"].items():
            for verb in operations:
                async with session.request(verb, f"{url}{path}", ssl=context or False) as answer:
                    ended[path] = answer.status, await answer.text()
    return ended


def open_routes(description: Mapping[str, Any]) -> set[str]:
    """The routes that want no key."""
    return {path for path, operations in description["paths"].items() if operations["get"]["security"] == []}


def _module(file: Path) -> str:
    return ".".join(file.relative_to(PROTOS).with_suffix("").parts)
