"""Prepared requests, sent by a C program of `replay/`: a client that takes next to nothing itself.

`replay.c` speaks Redis's protocol and HTTP/1.1, and `calls.c` unary gRPC.
"""

from __future__ import annotations

import asyncio
import shutil
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson

from benchmarks.ghz_load import Ghz
from pipeline.errors import StartupFailed
from scripts.system.services import ROOT

_SOURCES = Path(__file__).parent / "replay"
_BINARIES = ROOT / ".cache" / "bin"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What `replay` measured, from the first request to the last answer."""

    answers: int
    seconds: float
    p50_ms: float
    p99_ms: float


def write_requests(path: Path, requests: Sequence[bytes]) -> None:
    """Writes requests as `replay` reads them."""
    lengths = struct.pack(f"={len(requests) + 1}I", len(requests), *map(len, requests))
    path.write_bytes(lengths + b"".join(requests))


async def replay(
    protocol: Literal["resp", "http"],
    port: int,
    requests: Path,
    *,
    connections: int,
    window: int,
    per_second: float = 0.0,
) -> Replayed:
    """Sends a file of requests to a port of this machine.

    Args:
        protocol: how the end of an answer is found.
        port: where the server listens.
        requests: what `write_requests` wrote.
        connections: at once.
        window: most unanswered requests of a connection.
        per_second: at a fixed rate, and from when a request was due; 0 for all that the window lets through.

    Raises:
        RuntimeError: the server refused a request, or ended a connection.
        StartupFailed: there is no C compiler.
    """
    return await _run("replay", protocol, port, requests, connections, window, per_second)


def write_calls(path: Path, call: Ghz, messages: Sequence[bytes]) -> None:
    """Writes serialised messages as `replay_calls` reads them: calls of this method, with this key."""
    headers = (
        (":method", "POST"),
        (":scheme", "http"),
        (":path", f"/seawall.ingest.v1.IngestService/{call.method}"),
        (":authority", call.address),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("api-key", call.api_key),
    )
    block = b"".join(_literal(header) for header in headers)
    write_requests(path, [block, *(struct.pack(">BI", 0, len(one)) + one for one in messages)])


async def replay_calls(port: int, requests: Path, *, connections: int, window: int) -> Replayed:
    """Makes the calls of a file at a port of this machine, as fast as the window lets them through.

    Raises:
        RuntimeError: a call failed.
        StartupFailed: there is no C compiler.
    """
    return await _run("calls", port, requests, connections, window)


def _literal(header: tuple[str, str]) -> bytes:
    """A header for HPACK: a literal without indexing (RFC 7541, 6.2.2); name and value below 127 bytes."""
    name, value = (text.encode() for text in header)
    return bytes((0x00, len(name))) + name + bytes((len(value),)) + value


async def _run(program: str, *words: object) -> Replayed:
    running = await asyncio.create_subprocess_exec(
        await _binary(program),
        *map(str, words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, errors = await running.communicate()
    if running.returncode:
        raise RuntimeError(errors.decode(errors="replace").strip())
    return Replayed(**orjson.loads(told))


async def _binary(program: str) -> Path:
    binary, source = _BINARIES / program, _SOURCES / f"{program}.c"
    newest = max(file.stat().st_mtime for file in _SOURCES.iterdir())
    if binary.is_file() and binary.stat().st_mtime > newest:
        return binary
    if not (compiler := shutil.which("cc") or shutil.which("gcc")):
        raise StartupFailed(f"no C compiler on PATH: {source.name} needs one (apt install gcc)")
    binary.parent.mkdir(parents=True, exist_ok=True)
    made = binary.with_suffix(".new")
    running = await asyncio.create_subprocess_exec(
        compiler, "-D_GNU_SOURCE", "-O2", "-o", made, source, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await running.communicate()
    if running.returncode:
        raise StartupFailed(f"{source.name} does not compile: {errors.decode(errors='replace').strip()}")
    return made.rename(binary)
