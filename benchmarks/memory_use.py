"""`seawall bench memory-use`: what the services hold in memory over a million events, and Redis for each.

First what Redis takes: for an event that waits and for one that is remembered, with nobody who screens; for a
text whose answer is cached. Then the events go through both services, with 100,000 different texts that the
cache holds, as many as the index remembers; what each service holds is looked at after every portion. Flat is
what grows no more once the first two fifths have gone through: then the index is full and turns over.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import redis.asyncio as aioredis
from prometheus_client.parser import text_string_to_metric_families
from seawall.ingest.v1 import ingest_pb2

from benchmarks.client import BATCH, TIMEOUT_S, Client, event_of
from benchmarks.known_world import Known, fill_cache
from benchmarks.memory import peaks, resident_mb
from benchmarks.result import Effort, Line, Result, Wanted
from benchmarks.texts import known_texts
from benchmarks.turns import Series
from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from pipeline.validation import MAX_CONTENT_CHARS
from scripts.system.system import Part, System

EVENTS, BRIEF_EVENTS = 1_000_000, 5_000
TEXTS, BRIEF_TEXTS = 100_000, 500
_WARM = 0.4
_PORTIONS, _BRIEF_PORTIONS = 100, 10
_STORED, _BRIEF_STORED = 50_000, 2_000
MOST_MB = {"ingest": 512.0, "screener": 2_000.0}
MOST_SLOPE_MB = 5.0
"""Of what is flat, for 100,000 events: 1,000,000 more would be a tenth of ingest's bound."""


@dataclass
class Held:
    """What a service held after so many events."""

    pid: int
    events: list[int] = field(default_factory=list)
    mb: list[float] = field(default_factory=list)

    def look(self, events: int) -> None:
        """Now."""
        self.events.append(events)
        self.mb.append(resident_mb(self.pid))

    def slope_mb(self) -> float:
        """MB for each further 100,000 events, after the warm-up: a straight line through what was seen."""
        begin = int(len(self.events) * _WARM)
        return float(np.polyfit(np.array(self.events[begin:]) / 100_000, self.mb[begin:], 1)[0])


async def measure(effort: Effort) -> Result:
    """Measures, once: rounds and seconds of the effort say nothing here.

    Raises:
        RuntimeError: events have no verdict, or more than one.
    """
    queued, remembered = await _stored(_BRIEF_STORED if effort.brief else _STORED)
    events, texts = (BRIEF_EVENTS, BRIEF_TEXTS) if effort.brief else (EVENTS, TEXTS)
    with System() as system:
        async with Client(system) as client:
            before = await _used(client.store)
            known = Known.real(texts, texts, brief=effort.brief)
            await fill_cache(system, client.store, known)
            cached = (await _used(client.store) - before) / texts
            held = {
                "ingest": Held(system.ingest.process.pid),
                "screener": Held(system.screener.process.pid),
            }
            async with peaks({name: each.pid for name, each in held.items()}) as peak_mb:
                allowed = [text for text in known.texts if len(text) <= MAX_CONTENT_CHARS]
                sent = await _go_through(client, allowed, events, held)
            if (judged := _verdicts(await asyncio.to_thread(system.screener.metrics))) != sent:
                raise RuntimeError(f"{sent} events, {judged} verdicts")
            redis_mb = await _used(client.store) / 1e6
    lines = [
        line
        for name, each in held.items()
        for line in (
            Line(f"{name}, most, MB", Series((peak_mb[name],)), wanted=(Wanted(most=MOST_MB[name]),)),
            Line(
                f"{name}, growth when warm, MB for 100,000 events",
                Series((each.slope_mb(),)),
                wanted=(Wanted(most=MOST_SLOPE_MB),),
            ),
        )
    ]
    lines += [
        Line("Redis, bytes of a queued event", Series((queued,))),
        Line("Redis, bytes of a remembered duplicate", Series((remembered,))),
        Line("Redis, bytes of a cached embedding", Series((cached,))),
    ]
    details = {
        "events": float(events),
        "different texts": float(texts),
        "Redis at the end, MB": redis_mb,
        **{
            f"{name} after {share:.0%}, MB": each.mb[int(share * len(each.mb)) - 1]
            for name, each in held.items()
            for share in (0.1, 0.4, 0.7, 1.0)
        },
    }
    return Result("memory-use", tuple(lines), details)


async def _go_through(client: Client, texts: Sequence[str], events: int, held: dict[str, Held]) -> int:
    """How many went through."""
    chance = random.Random(1)  # noqa: S311  # no secret
    portion = events // (_PORTIONS if events == EVENTS else _BRIEF_PORTIONS)
    judged = 0
    for done in range(portion, events + 1, portion):
        await client.flood(chance.choices(texts, k=portion), HandOff.STREAM)
        judged += portion
        for each in held.values():
            each.look(done)
    return judged


async def _stored(count: int) -> tuple[float, float]:
    """Bytes of Redis for an event that waits, and for one that is remembered: it has two keys."""
    with System(parts=frozenset({Part.REDIS, Part.INGEST})) as system:
        async with Client(system) as client:
            texts = known_texts(count)
            before = await _used(client.store)
            for at in range(0, count, BATCH):
                await client.ingest.IngestBatch(
                    ingest_pb2.IngestBatchRequest(
                        events=[event_of(text).to_proto() for text in texts[at : at + BATCH]]
                    ),
                    metadata=client.metadata,
                    timeout=TIMEOUT_S,
                )
            both = await _used(client.store) - before
            if (depth := int(await client.store.xlen(ONLY.raw))) != count:
                raise RuntimeError(f"{count} events sent, {depth} in the queue")
            await client.store.delete(ONLY.raw)
            remembered = await _used(client.store) - before
            return (both - remembered) / count, remembered / count


async def _used(store: aioredis.Redis) -> float:
    """Bytes that Redis has in use."""
    return float((await store.info("memory"))["used_memory"])


def _verdicts(metrics: str) -> int:
    return int(
        sum(
            sample.value
            for family in text_string_to_metric_families(metrics)
            for sample in family.samples
            if sample.name == "events_screened_total"
        )
    )
