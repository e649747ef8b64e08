"""Where the screeners are: a list of names and addresses, and what the names mean today."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HostPort:
    """One item of the list."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Address:
    """One screener: `ip:port` as gRPC dials it, and the name that its certificate must have."""

    target: str
    host: str = field(compare=False)


def parse_addresses(text: str) -> tuple[HostPort, ...]:
    """Reads `host:port,host:port`; an IPv6 address stands in brackets.

    Raises:
        ValueError: says what is allowed.
    """
    items = [item.strip() for item in text.split(",") if item.strip()]
    parsed = [
        (host.removeprefix("[").removesuffix("]"), port)
        for host, _, port in (item.rpartition(":") for item in items)
    ]
    if not parsed or not all(host and port.isdecimal() and 0 < int(port) < 65_536 for host, port in parsed):
        raise ValueError(
            "host:port, or several by commas, as in screener:50052 or 10.0.0.1:50052,[::1]:50052"
        )
    return tuple(HostPort(host, int(port)) for host, port in parsed)


class Addresses:
    """Resolves every name of the list to all its addresses."""

    def __init__(self, hosts: Sequence[HostPort]) -> None:
        self._hosts = hosts
        self._known: Mapping[HostPort, frozenset[Address]] = {}

    async def resolve(self) -> frozenset[Address]:
        """The addresses of now; those of a name that cannot be resolved are as they were."""
        found = await asyncio.gather(*(self._resolve(host) for host in self._hosts))
        self._known = dict(zip(self._hosts, found, strict=True))
        return frozenset[Address]().union(*found)

    async def _resolve(self, item: HostPort) -> frozenset[Address]:
        loop = asyncio.get_running_loop()
        try:
            infos = await loop.getaddrinfo(item.host, item.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:  # UnicodeError: no name at all
            known = self._known.get(item, frozenset())
            _log.warning("screeners_not_resolved", exc_type=type(error).__name__, kept=len(known))
            return known
        return frozenset(Address(_target(str(info[4][0]), item.port), item.host) for info in infos)


def _target(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
