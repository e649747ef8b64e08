"""`seawall bench baseline-screening`: screening beside the obvious design (`baseline/screening_consumer.py`).

New texts, which the model must read, and texts that were seen before, from the queue to the verdict, in turns
on one Redis. Ours come in through ingest, whose time counts; the baseline's lie in its stream.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import orjson
import redis.asyncio as aioredis

from benchmarks.baseline.screening_consumer import GROUP, STREAM, VERDICTS
from benchmarks.client import Client
from benchmarks.contestants import exact
from benchmarks.processor import processor_s
from benchmarks.result import Effort, Line, Result, Wanted
from benchmarks.texts import known_texts, new_text
from benchmarks.turns import Figures, in_turns
from pipeline.hand_off import HandOff
from scripts.system.process import ChildProcess
from scripts.system.services import ROOT
from scripts.system.system import TOKENIZER, System

AGAINST = "one event at a time"
_WANTED = Wanted(least=5.0, of_ratio=True)
_KNOWN_TEXTS = 500
_NEW_PER_SECOND, _KNOWN_PER_SECOND, _BASELINE_PER_SECOND = 80, 1_500, 40
"""Events of a turn, for each second of load."""
_BRIEF_EVENTS = 10
_READY_S = 60.0


async def measure(effort: Effort) -> Result:
    """Measures.

    Raises:
        RuntimeError: the baseline has ended, or events have no verdict.
    """

    def count(per_second: int) -> int:
        return _BRIEF_EVENTS if effort.brief else max(1, int(per_second * effort.seconds))

    known = known_texts(_BRIEF_EVENTS if effort.brief else _KNOWN_TEXTS)
    with System() as system:
        async with Client(system) as client, _baseline(system, client.store) as baseline:
            await client.flood(known, HandOff.STREAM)

            async def ours(texts: Sequence[str]) -> Figures:
                pids = [system.screener.process.pid, system.triton.pid or 0]
                before_s = sum(map(processor_s, pids))
                figures = await client.throughput(texts, HandOff.STREAM)
                used_s = sum(map(processor_s, pids)) - before_s
                return {**figures, "processor_ms": 1000 * used_s / len(texts)}

            def again(per_second: int) -> list[str]:
                return [known[number % len(known)] for number in range(count(per_second))]

            def new(per_second: int) -> list[str]:
                return [new_text(client.chance) for _ in range(count(per_second))]

            measured = await in_turns(
                {
                    "ours, new": lambda: ours(new(_NEW_PER_SECOND)),
                    "baseline, new": lambda: _turn(client.store, baseline, new(_BASELINE_PER_SECOND)),
                    "ours, again": lambda: ours(again(_KNOWN_PER_SECOND)),
                    "baseline, again": lambda: _turn(client.store, baseline, again(_BASELINE_PER_SECOND)),
                },
                rounds=effort.rounds,
            )
    lines = [
        Line(
            f"{texts}, {about}",
            measured[f"ours, {kind}"][figure],
            measured[f"baseline, {kind}"][figure],
            AGAINST,
            wanted,
        )
        for kind, texts in (("new", "new texts"), ("again", "texts seen before"))
        for figure, about, wanted in (
            ("events_per_second", "events/s", (_WANTED,)),
            ("processor_ms", "processor time of an event, ms", ()),
        )
    ]
    return Result("baseline-screening", tuple(lines))


@asynccontextmanager
async def _baseline(system: System, store: aioredis.Redis) -> AsyncIterator[ChildProcess]:
    process = ChildProcess(
        "baseline",
        [sys.executable, "-m", "benchmarks.baseline.screening_consumer"],
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "REDIS_URL": system.redis_url,
            "MODEL": str(exact().file),
            "TOKENIZER": str(TOKENIZER),
        },
        log=system.folder / "baseline.log",
        cwd=ROOT,
    )
    process.start()
    try:
        async with asyncio.timeout(_READY_S):
            while not await store.exists(STREAM) or not await store.xinfo_groups(STREAM):
                process.check()
                await asyncio.sleep(0.02)
        yield process
    finally:
        process.stop(grace_s=1.0)


async def _turn(store: aioredis.Redis, baseline: ChildProcess, texts: Sequence[str]) -> Figures:
    before_s = processor_s(baseline.pid)
    wanted = int(await store.xlen(VERDICTS)) + len(texts)
    async with store.pipeline(transaction=False) as entries:
        for number, text in enumerate(texts):
            entries.xadd(STREAM, {"event": orjson.dumps({"event_id": f"event-{number}", "content": text})})
        began = time.perf_counter()
        await entries.execute()
    while await store.xlen(VERDICTS) < wanted:
        baseline.check()
        await asyncio.sleep(0.005)
    took_s = time.perf_counter() - began
    if (await store.xpending(STREAM, GROUP))["pending"] > 1:  # the last one's acknowledgement is on its way
        raise RuntimeError("the baseline has not acknowledged its events")
    return {
        "events_per_second": len(texts) / took_s,
        "processor_ms": 1000 * (processor_s(baseline.pid) - before_s) / len(texts),
    }
