"""Bytes at a port that are no HTTP/2, or only begin as such, and connections that say nothing."""

from __future__ import annotations

import asyncio
from random import Random

from scripts.system.ports import HOST

KIND = "no HTTP/2"
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_ANSWER_S = 0.5
_BEGINNINGS = (
    b"",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    b"POST /ready HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
    b"GET /\x00\xff HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS says hello
    b"*1\r\n$8\r\nFLUSHALL\r\n",
    _PREFACE,
    _PREFACE + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",  # settings, then whatever follows
    _PREFACE + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01",  # a frame of 16 MiB that does not come
    _PREFACE + b"\x00\x00\x04\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00" * 50,  # resets of no stream
)


async def throw(dice: Random, port: int) -> float:
    """Connects, sends some, and leaves with or without waiting for an answer; the seconds that it took.

    Raises:
        OSError: nobody listens there any more.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(dice.choice(_BEGINNINGS) + dice.randbytes(dice.choice((0, 9, 900))))
        await writer.drain()
        if dice.random() < 0.5:
            async with asyncio.timeout(_ANSWER_S):
                await reader.read(1_000)
    except (TimeoutError, ConnectionError):
        pass  # it waits for more, or has hung up: both are good answers
    finally:
        writer.transport.abort()
    return loop.time() - started
