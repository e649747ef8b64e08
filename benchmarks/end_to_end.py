"""`seawall bench end-to-end`: new texts from the call of ingest to the verdict in the stream.

Throughput through IngestBatch, beside the same number of events put straight into the queue. Then single
calls of Ingest at 70 % of what the model allows, which is that throughput; times from when each was due.
"""

from __future__ import annotations

from functools import partial

from benchmarks.arrivals import arrivals
from benchmarks.client import Client
from benchmarks.model_settings import model_settings
from benchmarks.new_texts import NewTexts, where_it_goes
from benchmarks.result import Effort, Line, Result, Wanted
from benchmarks.screen_uncached import FEWEST
from benchmarks.turns import in_turns
from scripts.system.system import System

SHARE = 0.7


async def measure(effort: Effort) -> Result:
    """Measures a system of its own.

    Raises:
        RuntimeError: an event was refused, has no verdict, or two.
    """
    with System(settings=model_settings()) as system:
        async with Client(system) as client, arrivals(client.store) as arrived:
            load = NewTexts(system, client, arrived)
            rate = (await load.queued(FEWEST))["events_per_second"]
            count = max(FEWEST, int(rate * effort.seconds))
            flood = await in_turns(
                {"ingested": partial(load.ingested, count), "queued": partial(load.queued, count)},
                rounds=effort.rounds,
            )
            allowed = flood["queued"]["events_per_second"].median
            paced = await in_turns(
                {"paced": partial(load.paced, SHARE * allowed, effort.seconds)}, rounds=effort.rounds
            )
    times = paced["paced"]
    return Result(
        "end-to-end",
        (
            Line(
                "events/s",
                flood["ingested"]["events_per_second"],
                flood["queued"]["events_per_second"],
                "screen-uncached",
                (Wanted(least=0.9, of_ratio=True),),
            ),
            Line(
                f"ingest to verdict at {SHARE * allowed:.3g}/s, p50, ms",
                times["p50_ms"],
                wanted=(Wanted(most=25),),
            ),
            Line(
                f"ingest to verdict at {SHARE * allowed:.3g}/s, p99, ms",
                times["p99_ms"],
                wanted=(Wanted(most=100),),
            ),
        ),
        {
            "at that rate, wait in the queue, median, ms": times["waited_ms"].median,
            "at that rate, tokens and model, median, ms": times["model_ms"].median,
            "at that rate, all of the screening, median, ms": times["screened_ms"].median,
            **where_it_goes({name: series.median for name, series in flood["ingested"].items()}),
        },
    )
