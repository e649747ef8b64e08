"""The connection to Redis, and the one translation of its errors into ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import hiredis
import redis.asyncio as aioredis
from redis.asyncio.connection import Connection, SSLConnection, parse_url
from redis.backoff import NoBackoff
from redis.exceptions import (
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry as RedisRetry

from pipeline.errors import StoreUnavailable
from pipeline.tls import CertificatesInForce

Entry = tuple[bytes, dict[bytes, bytes]]
"""A stream entry as redis-py gives it: its id and its fields."""

# redis-py tells these codes by the class and takes them out of the text.
_TRANSIENT_CLASSES = (OutOfMemoryError, ReadOnlyError, MasterDownError, ClusterDownError, TryAgainError)
# The others stand first; but what a script met, Redis 6.2 puts behind words of its own: "...: -OOM command".
_TRANSIENT_TEXT = re.compile(
    r"(^|: -)(OOM|READONLY|MASTERDOWN|MISCONF|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|BUSY|LOADING) "
)
# What uvloop raises, and redis-py passes on, where a connection was reset while nobody used it.
_RESET_TEXT = re.compile(r"\bhandler is closed\b")


def connect(
    url: str,
    *,
    timeout_ms: int,
    max_connections: int = 64,
    certificates: CertificatesInForce | None = None,
) -> aioredis.Redis:
    """A client with a bounded pool whose every command has a time limit; connects on first use.

    The client itself does not retry: a command that may have been carried out is the caller's to repeat.
    `certificates` are for a `rediss://` address; without them the system's authorities are trusted.
    """
    options: dict[str, Any] = {
        "max_connections": max_connections,
        "timeout": timeout_ms / 1000,  # most wait for a free connection
        "socket_timeout": timeout_ms / 1000,
        "socket_connect_timeout": timeout_ms / 1000,
        "retry": RedisRetry(NoBackoff(), 0),
        "decode_responses": False,
        "protocol": 2,  # one shape of replies, whatever the server speaks
        **parse_url(url),
    }
    kind = options.get("connection_class", Connection)
    options["connection_class"] = {Connection: _Connection, SSLConnection: _TlsConnection}.get(kind, kind)
    if certificates is not None:
        options["certificates"] = certificates
    return aioredis.Redis.from_pool(_Pool(**options))


class _Pool(aioredis.BlockingConnectionPool):
    """Waits for a connection only where none is free: that spares a quarter of what a command takes here."""

    async def get_connection(self, *args: Any, **options: Any) -> Any:
        """A connected one."""
        if not self.can_get_connection():
            return await super().get_connection(*args, **options)  # type: ignore[no-untyped-call]
        connection = self.get_available_connection()  # type: ignore[no-untyped-call]
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection


class _PacksInC:
    """Packs commands in C, as redis-py's synchronous connections do; its asynchronous ones do it in Python.

    That took 40 % of the processor time of a batch of 500 events: 3,500 words to pack.
    """

    def pack_command(self, *words: Any) -> list[bytes]:
        """The command as one string; one with a word that C knows nothing of is left to redis-py."""
        try:
            name, rest = words[0], words[1:]
            return [hiredis.pack_command((*name.split(), *rest))]
        except TypeError:
            packed: list[bytes] = super().pack_command(*words)  # type: ignore[misc]
            return packed


class _Connection(_PacksInC, Connection):
    """Over TCP in plain text."""


class _TlsConnection(_PacksInC, SSLConnection):
    """Takes the certificates of now at each connection: redis-py would keep those of the first."""

    def __init__(self, *, certificates: CertificatesInForce | None = None, **of_redis_py: Any) -> None:
        super().__init__(**of_redis_py)
        self._certificates = certificates

    def _connection_arguments(self) -> Mapping[str, Any]:
        if self._certificates is not None:
            self.ssl_context.context = self._certificates.current.context
        return super()._connection_arguments()


@contextmanager
def store_errors() -> Iterator[None]:
    """Turns what Redis raises into `StoreUnavailable`; a wrong command stays the bug that it is."""
    try:
        yield
    except (RedisConnectionError, RedisTimeoutError, OSError) as error:
        raise StoreUnavailable("Redis does not answer") from error
    except ResponseError as error:
        if isinstance(error, _TRANSIENT_CLASSES) or _TRANSIENT_TEXT.search(str(error)):
            raise StoreUnavailable("Redis cannot write now") from error
        raise
    except RedisError as error:
        raise StoreUnavailable("Redis failed") from error
    except RuntimeError as error:
        if not _RESET_TEXT.search(str(error)):
            raise
        raise StoreUnavailable("Redis does not answer") from error


async def store_ready(client: aioredis.Redis) -> bool:
    """Whether Redis answers."""
    with store_errors():
        return bool(await client.ping())
