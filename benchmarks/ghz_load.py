"""ghz as a load generator: binary requests from a file, and what its report says of each call."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from benchmarks.turns import percentile
from pipeline.errors import StartupFailed
from scripts.system.services import ROOT

_PROTO = Path(__file__).parent / "ghz" / "ingest.proto"
_OWN = ROOT / ".cache" / "bin" / "ghz"
_MODULE = "github.com/bojand/ghz/cmd/ghz@v0.120.0"


@dataclass(frozen=True, slots=True)
class Ghz:
    """What to call, and with which key."""

    method: str
    address: str
    api_key: str


@dataclass(frozen=True, slots=True)
class Report:
    """The calls of one run, all of them answered OK.

    Attributes:
        began: of the first call, in Unix seconds.
        ended: of the last answer.
        took: seconds of each call; at a fixed rate, from when it was due.
    """

    began: float
    ended: float
    took: tuple[float, ...]

    @property
    def per_second(self) -> float:
        """Calls a second."""
        return len(self.took) / (self.ended - self.began)

    def ms(self, share: float) -> float:
        """The percentile of a call's time, in milliseconds."""
        return 1000 * percentile(self.took, share)


def write_delimited(path: Path, messages: Iterable[bytes]) -> None:
    """Writes serialised requests as ghz reads several of them from one file: it sends them in turn."""
    with path.open("wb") as file:
        for message in messages:
            file.write(_varint(len(message)))
            file.write(message)


def read_delimited(path: Path) -> list[bytes]:
    """What `write_delimited` wrote."""
    data, at, messages = path.read_bytes(), 0, []
    while at < len(data):
        size = shift = 0
        while data[at] & 0x80:
            size |= (data[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
        size |= data[at] << shift
        messages.append(data[at + 1 : at + 1 + size])
        at += 1 + size
    return messages


async def ghz(
    call: Ghz, requests: Path, *, calls: int, at_once: int, connections: int = 1, per_second: int = 0
) -> Report:
    """Makes `calls` calls with the requests of a file, in turn.

    With `per_second` they start at that rate whether or not earlier ones have ended, and a call's time counts
    from when it was due; without, `at_once` are always under way.

    Raises:
        RuntimeError: a call failed.
        StartupFailed: there is no ghz, and no Go to build it.
    """
    running = await asyncio.create_subprocess_exec(
        await ghz_binary(),
        *("--insecure", "--proto", _PROTO, "--call", f"seawall.ingest.v1.IngestService/{call.method}"),
        *("--metadata", orjson.dumps({"api-key": call.api_key}).decode()),
        *("--binary", "--binary-file", requests, "--total", str(calls), "--format", "json"),
        *("--concurrency", str(min(at_once, calls)), "--connections", str(min(connections, calls))),
        *(("--rps", str(per_second), "--async") if per_second else ()),
        call.address,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, errors = await running.communicate()
    if running.returncode:
        raise RuntimeError(f"ghz: {errors.decode(errors='replace').strip()}")
    return _report(orjson.loads(told), calls, per_second)


async def ghz_binary() -> Path:
    """The ghz of `GHZ`, of `.cache/bin` or of PATH; else it is built with Go, which takes a minute.

    Raises:
        StartupFailed: there is none, and it cannot be built.
    """
    for found in (os.environ.get("GHZ"), _OWN, "ghz"):
        if found and (path := shutil.which(found)):
            return Path(path)
    if not (go := shutil.which("go")):
        raise StartupFailed("no ghz: install Go, or ghz (https://ghz.sh), or set GHZ to where it is")
    building = await asyncio.create_subprocess_exec(
        *(go, "install", _MODULE),
        env={**os.environ, "GOBIN": str(_OWN.parent)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await building.communicate()
    if building.returncode:
        raise StartupFailed(f"{_MODULE} cannot be built: {errors.decode(errors='replace').strip()}")
    return _OWN


def _varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*octets, number))


def _report(report: dict[str, object], calls: int, per_second: int) -> Report:
    if report["statusCodeDistribution"] != {"OK": calls}:
        raise RuntimeError(
            f"of {calls} calls: {report['statusCodeDistribution']} {report['errorDistribution']}"
        )
    details: Sequence[dict[str, str | int]] = report["details"]  # type: ignore[assignment]
    ends = [datetime.fromisoformat(str(call["timestamp"])).timestamp() for call in details]
    took = [int(call["latency"]) / 1e9 for call in details]
    spans = sorted((end - lasted, end) for end, lasted in zip(ends, took, strict=True))
    began = spans[0][0]
    if per_second:
        # ghz tells when each began. Where it fell behind, the n-th was due n intervals after the first.
        due = [min(start, began + number / per_second) for number, (start, _) in enumerate(spans)]
        took = [end - at for at, (_, end) in zip(due, spans, strict=True)]
    return Report(began, max(ends), tuple(took))
