"""`screen-cached`: what the screener does with texts whose model output the cache holds.

One screener with its index of 100,000 real embeddings reads `events:raw`, as it does in production, while
this process appends to it: 20,000 distinct texts in turn, then 100 texts again and again, then the former at
a fixed rate, a time counted from when the event was due. No text is new, so the model has nothing to do;
Triton runs beside it, for the screener asks which version it serves.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import redis.asyncio as aioredis

from benchmarks.known_world import Known, teach
from benchmarks.processor import processor_s
from benchmarks.raw_queue import append, append_at_rate, emptied, prepare, verdicts_at_ms
from benchmarks.result import Effort, Line, Result, Wanted
from benchmarks.turns import Figures, Series, in_turns, percentile
from pipeline.store import connect
from scripts.system.system import Part, System

DISTINCT, REPEATED, INDEXED = 20_000, 100, 100_000
WANTED_PER_SECOND, WANTED_OF_REPEATED = 5_000, 10_000
_PARTS = frozenset({Part.REDIS, Part.TRITON, Part.SCREENER})


async def measure(effort: Effort) -> Result:
    """Measures a system of its own.

    Raises:
        RuntimeError: an event got no verdict.
    """
    distinct, indexed = (200, 500) if effort.brief else (DISTINCT, INDEXED)
    known = Known.real(distinct, indexed, brief=effort.brief)
    with System(parts=_PARTS) as system:
        store = connect(system.redis_url, timeout_ms=60_000)
        try:
            await teach(system, store, known)
            load = _Load(system, store, effort.seconds / 10 if effort.brief else effort.seconds)
            # A batch so that nothing is done for the first time, such as asking for the thresholds.
            await load.flood(known.texts[:REPEATED], 2 * REPEATED)
            found = await in_turns(
                {
                    "distinct": lambda: load.flood(known.texts, WANTED_PER_SECOND),
                    "repeated": lambda: load.flood(known.texts[:REPEATED], WANTED_OF_REPEATED),
                    "at rate": lambda: load.at_rate(known.texts, WANTED_PER_SECOND / 2),
                },
                rounds=effort.rounds,
            )
        finally:
            await store.aclose()
    details = {
        "distinct texts": distinct,
        "repeated texts": REPEATED,
        "vectors indexed": indexed,
        "median characters": percentile([len(text) for text in known.texts], 0.5),
    }
    return Result("screen-cached", _lines(found), details)


def _lines(found: Mapping[str, Mapping[str, Series]]) -> tuple[Line, ...]:
    distinct, repeated, at_rate = found["distinct"], found["repeated"], found["at rate"]
    fixed = f"at {WANTED_PER_SECOND // 2:,} events/s"
    enough, of_repeated, soon = (
        (Wanted(least=WANTED_PER_SECOND),),
        (Wanted(least=WANTED_OF_REPEATED),),
        (Wanted(most=50),),
    )
    return (
        Line("distinct texts, events/s", distinct["per_second"], wanted=enough),
        Line("repeated texts, events/s", repeated["per_second"], wanted=of_repeated),
        Line(f"{fixed}, p50 ms", at_rate["p50_ms"]),
        Line(f"{fixed}, p99 ms", at_rate["p99_ms"], wanted=soon),
        Line("distinct texts, processor of the screener, µs an event", distinct["screener_us"]),
        Line("repeated texts, processor of the screener, µs an event", repeated["screener_us"]),
        Line("distinct texts, processor of Redis, µs an event", distinct["redis_us"]),
    )


class _Load:
    """Loads one screener by its queue."""

    def __init__(self, system: System, store: aioredis.Redis, seconds: float) -> None:
        self._system = system
        self._store = store
        self._seconds = seconds
        self._next = 0

    async def flood(self, texts: Sequence[str], per_second: int) -> Figures:
        """As many events as would take `seconds` at that rate, all at once; until the last verdict."""
        entries = prepare(self._taken(texts, max(1, int(per_second * self._seconds))))
        before = self._processor_s()
        began = time.perf_counter()
        await append(self._store, entries)
        await emptied(self._store)
        elapsed_s = time.perf_counter() - began
        used = self._processor_s()
        await verdicts_at_ms(self._store, entries)
        return {
            "per_second": len(entries) / elapsed_s,
            "screener_us": 1e6 * (used[0] - before[0]) / len(entries),
            "redis_us": 1e6 * (used[1] - before[1]) / len(entries),
        }

    async def at_rate(self, texts: Sequence[str], per_second: float) -> Figures:
        """From when an event was due to when its verdict was in its stream."""
        entries = prepare(self._taken(texts, max(1, int(per_second * self._seconds))))
        due = await append_at_rate(self._store, entries, per_second)
        await emptied(self._store)
        times = [
            done - began for began, done in zip(due, await verdicts_at_ms(self._store, entries), strict=True)
        ]
        return {"p50_ms": percentile(times, 0.5), "p99_ms": percentile(times, 0.99)}

    def _taken(self, texts: Sequence[str], count: int) -> list[str]:
        """The next `count` texts, from the first again after the last."""
        first, self._next = self._next, self._next + count
        return [texts[number % len(texts)] for number in range(first, first + count)]

    def _processor_s(self) -> tuple[float, float]:
        return processor_s(self._system.screener.process.pid), processor_s(self._system.redis.process.pid)
