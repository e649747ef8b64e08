"""`seawall bench screen-uncached`: the screener with texts that it has never seen.

The events are put into the queue at once, and counted when their verdicts stand in the streams. The limit is
the fastest bare runtime with as many texts of the same kind, all in hand at once, tokenisation included: no
rules, no index, no verdict.
"""

from __future__ import annotations

from functools import partial
from statistics import fmean

from benchmarks.arrivals import arrivals
from benchmarks.client import Client
from benchmarks.model_settings import model_settings
from benchmarks.new_texts import NewTexts, where_it_goes
from benchmarks.result import Effort, Line, Result, Wanted
from benchmarks.runtime import BareRuntime, Work, started
from benchmarks.runtimes import fastest
from benchmarks.texts import new_texts
from benchmarks.turns import Figures, in_turns
from screener.tokens import Tokenizer
from scripts.system.system import TOKENIZER, System

FEWEST = 32
"""Events of a measurement, and to warm up with."""


async def measure(effort: Effort) -> Result:
    """Measures a system of its own.

    Raises:
        RuntimeError: an event has no verdict, or two.
    """
    best = await fastest(effort)
    with System(settings=model_settings()) as system:
        async with (
            Client(system) as client,
            arrivals(client.store) as arrived,
            started(best.runtime) as bare,
        ):
            load = NewTexts(system, client, arrived)
            rate = (await load.queued(FEWEST))["events_per_second"]
            count = max(FEWEST, int(rate * effort.seconds))
            work = Work(new_texts(count, seed=4), best.request_tokens)
            await bare.do(work)
            found = await in_turns(
                {"screener": partial(load.queued, count), "bare": partial(_bare, bare, work)},
                rounds=effort.rounds,
            )
    ours, limit = found["screener"], found["bare"]
    used = {name: series.median for name, series in ours.items()}
    tokens = _tokens_of_a_text()
    return Result(
        "screen-uncached",
        (
            Line(
                "events/s",
                ours["events_per_second"],
                limit["texts_per_second"],
                "the fastest bare runtime",
                (Wanted(least=0.9, of_ratio=True),),
            ),
        ),
        {
            "the fastest bare runtime": best.runtime.name,
            "CPU us a text": 1000 * used["Triton_ms"],
            "CPU us a token": 1000 * used["Triton_ms"] / tokens,
            "tokens of a text": tokens,
            "processor of the bare runtime, ms a text": limit["processor_ms"].median,
            **where_it_goes(used),
        },
    )


async def _bare(bare: BareRuntime, work: Work) -> Figures:
    return (await bare.do(work)).figures


def _tokens_of_a_text() -> float:
    """Of the benchmarks' new texts, the mean, without padding."""
    return fmean(len(ids) for ids in Tokenizer.from_file(TOKENIZER).encode(new_texts(2_000, seed=5)))
