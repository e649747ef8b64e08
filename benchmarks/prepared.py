"""Prepared requests, sent by a C program (`replay/replay.c`): a client that takes next to nothing itself."""

from __future__ import annotations

import asyncio
import shutil
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson

from pipeline.errors import StartupFailed
from scripts.system.services import ROOT

_SOURCE = Path(__file__).parent / "replay" / "replay.c"
_BINARY = ROOT / ".cache" / "bin" / "replay"


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
    words = (protocol, port, requests, connections, window, per_second)
    running = await asyncio.create_subprocess_exec(
        await _binary(),
        *map(str, words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, errors = await running.communicate()
    if running.returncode:
        raise RuntimeError(errors.decode(errors="replace").strip())
    return Replayed(**orjson.loads(told))


async def _binary() -> Path:
    if _BINARY.is_file() and _BINARY.stat().st_mtime > _SOURCE.stat().st_mtime:
        return _BINARY
    if not (compiler := shutil.which("cc") or shutil.which("gcc")):
        raise StartupFailed(f"no C compiler on PATH: {_SOURCE.name} needs one (apt install gcc)")
    _BINARY.parent.mkdir(parents=True, exist_ok=True)
    made = _BINARY.with_suffix(".new")
    running = await asyncio.create_subprocess_exec(
        compiler, "-D_GNU_SOURCE", "-O2", "-o", made, _SOURCE, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await running.communicate()
    if running.returncode:
        raise StartupFailed(f"{_SOURCE.name} does not compile: {errors.decode(errors='replace').strip()}")
    return made.rename(_BINARY)
