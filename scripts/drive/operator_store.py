"""The connection of an operator's command to Redis, and who the operator is."""

from __future__ import annotations

import getpass
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio as aioredis
from redis.exceptions import AuthenticationError, ResponseError

from pipeline.errors import StoreUnavailable
from pipeline.settings import ServiceSettings, load
from pipeline.store import connect
from pipeline.tls import CertificatesInForce
from scripts.errors import CommandFailed


@asynccontextmanager
async def operator_store() -> AsyncIterator[aioredis.Redis]:
    """A client of the Redis that `REDIS_URL` names, for the length of a block.

    Raises:
        CommandFailed: Redis is away, or refuses; one line that says where it is, without its password.
    """
    settings = load(ServiceSettings)
    client = connect(
        settings.redis_url.get_secret_value(),
        timeout_ms=settings.redis_timeout_ms,
        certificates=CertificatesInForce.of(settings.redis_certificates),
    )
    where = client.connection_pool.connection_kwargs  # never the whole URL: it may hold a password
    place = where.get("path") or f"{where.get('host', 'localhost')}:{where.get('port', 6379)}"
    try:
        yield client
    except StoreUnavailable as error:
        if isinstance(error.__cause__, AuthenticationError):
            raise CommandFailed(f"Redis at {place} wants another password: set REDIS_URL") from error
        raise CommandFailed(f"{error} at {place}: look after it, or set REDIS_URL") from error
    except ResponseError as error:
        raise CommandFailed(f"Redis at {place} refuses: {error}") from error
    finally:
        await client.aclose()


def operator_name() -> str:
    """`<user>@<host>`, for the audit record."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's number without a name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
