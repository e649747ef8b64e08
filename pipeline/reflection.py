"""Server reflection that also knows methods by their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_reflection.v1alpha import reflection


def enable_reflection(services: Sequence[str], server: grpc.aio.Server) -> None:
    """Adds reflection of `services`, given by their full names, to the server."""
    pool = _MethodsToo(descriptor_pool.Default())
    reflection.enable_server_reflection(services, server, pool=pool)  # type: ignore[arg-type]  # by shape


class _MethodsToo:
    """Protobuf's pool finds the file of a service, but not of a method; ghz asks by the method."""

    def __init__(self, pool: descriptor_pool.DescriptorPool) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:  # noqa: N802  # protobuf's name
        """The file that defines `symbol`; KeyError where none does."""
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            return self._pool.FindMethodByName(symbol).containing_service.file
