"""`seawall bench ingest-stream`: events over open streams, beside a bidirectional handler that does nothing.

At full load each stream is a ghz of its own, which sends as fast as flow control lets it, and every answer is
counted; the time runs from the first stream's begin to the last one's end. At half of that, a client of our
own (`benchmarks/stream_client.py`) holds the rate and times each event from when it was due.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
from seawall.events.v1 import events_pb2

from benchmarks.event_load import new_events, stream_requests
from benchmarks.ghz_load import Report, ghz, write_delimited
from benchmarks.ingest_doors import Door, Load, beside_no_op, doors
from benchmarks.result import Effort, Result, Wanted
from scripts.system.services import ROOT

_STREAMS = 4
_EVENTS_A_SECOND = 8_000
_BRIEF_EVENTS = 2_000


async def measure(effort: Effort) -> Result:
    """Measures.

    Raises:
        RuntimeError: a stream failed, or accepted events are not in the queue.
    """
    async with doors() as found:
        events = new_events(_BRIEF_EVENTS if effort.brief else int(_EVENTS_A_SECOND * effort.seconds))
        full_load = _at_full_load(_files(found.folder, events))
        await found.turn(found.no_op, full_load, len(events))
        full = await found.both(full_load, len(events), effort.rounds)
        rate = full["ingest"]["events_per_second"].median / 2
        numbered = found.folder / "numbered"
        write_delimited(numbered, stream_requests(events[: len(events) // 2]))
        paced = await found.both(_at_a_rate(numbered, rate), len(events) // 2, effort.rounds)
    return Result(
        "ingest-stream",
        (
            beside_no_op(
                "events/s", full, "events_per_second", Wanted(least=0.8, of_ratio=True), Wanted(least=10_000)
            ),
            beside_no_op("processor time of an event, µs", full, "processor_us"),
            beside_no_op("p50 at half of it, ms", paced, "p50_ms"),
            beside_no_op("p99 at half of it, ms", paced, "p99_ms"),
        ),
        {"streams": _STREAMS, "events of a round": len(events), "half of it, events/s": rate},
    )


def _files(folder: Path, events: Sequence[events_pb2.Event]) -> list[Path]:
    files = [folder / f"stream-{number}" for number in range(_STREAMS)]
    for number, file in enumerate(files):
        write_delimited(file, stream_requests(events[number::_STREAMS]))
    return files


def _at_full_load(files: Sequence[Path]) -> Load:
    async def load(door: Door) -> Report:
        call = door.call("IngestStream")
        streams = await asyncio.gather(*(ghz(call, file, calls=1, at_once=1) for file in files))
        began, ended = min(one.began for one in streams), max(one.ended for one in streams)
        return Report(began, ended, tuple(took for one in streams for took in one.took))

    return load


def _at_a_rate(requests: Path, per_second: float) -> Load:
    async def load(door: Door) -> Report:
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.stream_client"),
            *(door.service.address, requests, str(_STREAMS), str(per_second)),
            env={**os.environ, "API_KEY": door.api_key},
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        told, errors = await running.communicate()
        if running.returncode:
            raise RuntimeError(errors.decode(errors="replace").strip())
        took = tuple(orjson.loads(told))
        return Report(0.0, len(took) / per_second, took)

    return load
