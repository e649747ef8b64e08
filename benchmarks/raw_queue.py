"""Events put into `events:raw` from outside, and when each of them got its verdict.

What ingest would do is left out: the entries are prepared before the clock starts and appended as they are.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import redis.asyncio as aioredis

from benchmarks.client import event_of
from pipeline.event import PLATFORM_LABELS
from pipeline.keys import ONLY
from pipeline.record import EventRecord, RecordState

_AT_ONCE = 500
_POLL_S = 0.005
_TICK_S = 0.002
_LONGEST_WAIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """An entry of `events:raw`, ready to be appended."""

    event_id: str
    fields: dict[bytes | str, bytes | str]


def prepare(texts: Sequence[str]) -> list[Prepared]:
    """An event for each text, all by different authors."""
    events = map(event_of, texts)
    return [
        Prepared(
            event.event_id,
            {
                "event_id": event.event_id,
                "platform": PLATFORM_LABELS[event.platform],
                "event": event.encode(),
            },
        )
        for event in events
    ]


async def append(store: aioredis.Redis, entries: Sequence[Prepared]) -> None:
    """Appends them, in order."""
    for at in range(0, len(entries), _AT_ONCE):
        async with store.pipeline(transaction=False) as pipe:
            for entry in entries[at : at + _AT_ONCE]:
                pipe.xadd(ONLY.raw, entry.fields)  # type: ignore[arg-type]  # invariant dict
            await pipe.execute()


async def append_at_rate(
    store: aioredis.Redis, entries: Sequence[Prepared], per_second: float
) -> list[float]:
    """Appends each when it is due, whatever became of those before; when that was, ms since the epoch."""
    began = time.time() + _TICK_S
    due = [began + number / per_second for number in range(len(entries))]
    done = 0
    while done < len(entries):
        await asyncio.sleep(_TICK_S)
        now, first = time.time(), done
        while done < len(entries) and due[done] <= now:
            done += 1
        await append(store, entries[first:done])
    return [1_000 * at for at in due]


async def emptied(store: aioredis.Redis) -> None:
    """Waits until nothing is without a verdict.

    Raises:
        RuntimeError: something is for five minutes.
    """
    try:
        async with asyncio.timeout(_LONGEST_WAIT_S):
            while True:
                if not await store.xlen(ONLY.raw):
                    return
                await asyncio.sleep(_POLL_S)
    except TimeoutError as error:
        raise RuntimeError("events are left without a verdict") from error


async def verdicts_at_ms(store: aioredis.Redis, entries: Sequence[Prepared]) -> list[float]:
    """When the verdict of each was published, ms since the epoch, by Redis's clock.

    Raises:
        RuntimeError: an event has none.
    """
    values = await store.mget([ONLY.event(entry.event_id) for entry in entries])
    records = [EventRecord.decode(value) for value in values if isinstance(value, bytes)]
    if len(records) < len(entries) or any(record.state is not RecordState.SCREENED for record in records):
        raise RuntimeError("an event has no verdict")
    return [float(record.entry_id.split("-")[0]) for record in records]
