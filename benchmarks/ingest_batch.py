"""`seawall bench ingest-batch`: IngestBatch of 100 and 500 events, beside what Redis alone can do with them.

Ingest gets its batches from ghz. The limit is the same Redis with the commands that `admit.lua` issues for a
batch (MGET of both keys of each event, MSET of the records; for each event SET of the fingerprint's key, and
XADD), sent by a C client that keeps a thousand of them under way (`benchmarks/replay/replay.c`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import hiredis
from seawall.events.v1 import events_pb2

from benchmarks.event_load import batch_requests, new_events
from benchmarks.ghz_load import write_delimited
from benchmarks.ingest_doors import MOST_EVENTS, Doors, at_a_rate, at_full_load, doors
from benchmarks.prepared import replay, write_requests
from benchmarks.result import Effort, Line, Result, Wanted
from benchmarks.turns import Figures, Series, in_turns
from pipeline.event import Platform
from pipeline.fingerprint import Digests
from pipeline.keys import ONLY
from pipeline.record import RecordState

AGAINST = "its commands from C"
_WANTED = {
    100: (Wanted(least=0.2, of_ratio=True),),
    500: (Wanted(least=0.35, of_ratio=True), Wanted(least=100_000)),
}
_EVENTS_AT_ONCE = 2_000
_COMMANDS_AT_ONCE = 1_000
_WINDOW_MS = 3_600_000


async def measure(effort: Effort) -> Result:
    """Measures.

    Raises:
        RuntimeError: a call failed, or accepted events are not in the queue.
    """
    lines: list[Line] = []
    rates: dict[str, float | str] = {}
    async with doors() as found:
        events = new_events(5_000 if effort.brief else min(MOST_EVENTS, int(60_000 * effort.seconds)))
        for size, wanted in _WANTED.items():
            measured, rate = await _measured(found, events, size, effort)
            ours, limit = measured["ingest"], measured["commands"]
            per_second = "events_per_second"
            lines += (
                Line(f"{size} an RPC, events/s", ours[per_second], limit[per_second], AGAINST, wanted),
                Line(f"{size} an RPC, processor time of an event, µs", ours["processor_us"]),
                Line(f"{size} an RPC, p50 at full load, ms", ours["p50_ms"]),
                Line(f"{size} an RPC, p99 at full load, ms", ours["p99_ms"]),
                Line(f"{size} an RPC, p50 at half of it, ms", measured["paced"]["p50_ms"]),
                Line(
                    f"{size} an RPC, p99 at half of it, ms",
                    measured["paced"]["p99_ms"],
                    wanted=(Wanted(most=100),) if size == max(_WANTED) else (),
                ),
            )
            rates[f"{size} an RPC, half of it, RPCs/s"] = rate
    return Result("ingest-batch", tuple(lines), {"events at once": _EVENTS_AT_ONCE, **rates})


async def _measured(
    found: Doors, events: Sequence[events_pb2.Event], size: int, effort: Effort
) -> tuple[dict[str, dict[str, Series]], float]:
    """Ingest at full load, its `commands`, and ingest at half of it (`paced`); the rate of that half."""
    batches, commands = found.folder / f"batches-{size}", found.folder / f"commands-{size}"
    write_delimited(batches, batch_requests(events, size))
    write_requests(commands, list(commands_of(events, size)))
    at_once = _EVENTS_AT_ONCE // size
    calls = len(events) // size

    async def ours(calls: int = calls) -> Figures:
        load = at_full_load("IngestBatch", batches, calls=calls, at_once=at_once)
        return await found.turn(found.ingest, load, calls * size)

    async def limit() -> Figures:
        return await _replayed(found, commands, len(events))

    await ours(min(calls, 5_000 // size))
    measured = await in_turns({"ingest": ours, "commands": limit}, rounds=effort.rounds)
    rate = measured["ingest"]["events_per_second"].median / size / 2
    few = max(1, calls // 2)
    load = at_a_rate("IngestBatch", batches, calls=few, per_second=rate)
    paced = await in_turns(
        {"paced": lambda: found.turn(found.ingest, load, few * size)}, rounds=effort.rounds
    )
    return {**measured, **paced}, rate


async def _replayed(found: Doors, commands: Path, events: int) -> Figures:
    await found.store.flushdb()
    done = await replay("resp", found.redis_port, commands, connections=1, window=_COMMANDS_AT_ONCE)
    if (queued := await found.store.xlen(ONLY.raw)) != events:
        raise RuntimeError(f"{events} events sent as commands, {queued} in the queue")
    return {"events_per_second": events / done.seconds}


def commands_of(events: Sequence[events_pb2.Event], size: int) -> Iterator[bytes]:
    """What `admit.lua` asks of Redis for these events in batches of `size`, none of them known."""
    digests = Digests("a secret of forty characters, as it must")
    for at in range(0, len(events), size):
        batch = events[at : at + size]
        prints = [digests.fingerprint(event.platform, event.author_id, event.content) for event in batch]
        records = [ONLY.event(event.event_id) for event in batch]
        firsts = [ONLY.fingerprint(digest) for digest in prints]
        queued = [RecordState.QUEUED.value + digest for digest in prints]
        yield _packed("MGET", *(key for pair in zip(records, firsts, strict=True) for key in pair))
        yield _packed("MSET", *(word for pair in zip(records, queued, strict=True) for word in pair))
        for event, first in zip(batch, firsts, strict=True):
            label = Platform(event.platform).label
            yield _packed("SET", first, event.event_id, "PX", _WINDOW_MS)
            yield _packed(
                *("XADD", ONLY.raw, "*", "event_id", event.event_id, "platform", label),
                *("event", event.SerializeToString()),
            )


def _packed(*words: bytes | str | int) -> bytes:
    packed: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]  # the stub takes one word alone
    return packed
