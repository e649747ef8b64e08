"""How many processors and GPUs so many events a second need, from costs that a run has measured. Pure.

An event costs ingest, Redis and the screener so much processor time, whatever it says; a text that the cache
does not know costs the model so much for each token. What is needed is the work of a second over the share of
a processor's second that may be used, for latency grows without bound towards the whole of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.result import Result

SCALE_OUT, UNCACHED, TRITON = "scale-out", "screen-uncached", "triton"
_TOKEN = "CPU us a token"  # noqa: S105  # a token of text
_GPU_TOKEN = "GPU us a token"  # noqa: S105


class CostUnknown(ValueError):
    """A cost was not measured; the message says by what it is."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of the parts, in microseconds of a processor.

    Attributes:
        ingest_us: of ingest, for an event in batches of 500.
        redis_us: of Redis, for an event from admission to verdict.
        screener_us: of the screener and the index, for an event that the cache knows.
        token_us: of the model on the processors, for a token.
        gpu_token_us: of the model on a GPU, for a token, in microseconds of it; None where none was seen.
    """

    ingest_us: float
    redis_us: float
    screener_us: float
    token_us: float
    gpu_token_us: float | None = None

    @classmethod
    def of(cls, run: Mapping[str, Result]) -> Costs:
        """Those of a run, by the names of its benchmarks.

        Raises:
            CostUnknown: a benchmark that it takes is not among them.
        """

        def of_one_worker(part: str, stage: str) -> float:
            return _number(run, SCALE_OUT, f"{part} {stage}, 1 workers, CPU us an event")

        return cls(
            ingest_us=of_one_worker("ingest", "ingested"),
            redis_us=of_one_worker("redis", "screened"),
            screener_us=of_one_worker("screener", "screened"),
            token_us=_number(run, UNCACHED, _TOKEN),
            gpu_token_us=_number(run, TRITON, _GPU_TOKEN)
            if TRITON in run and _GPU_TOKEN in run[TRITON].details
            else None,
        )


@dataclass(frozen=True, slots=True)
class Load:
    """What comes in.

    Attributes:
        per_second: events.
        lengths: share of the texts, by their length in tokens.
        cache_hits: share of the events whose texts the cache knows.
        busy: share of a second that a processor or a GPU may work.
    """

    per_second: float
    lengths: Mapping[int, float]
    cache_hits: float
    busy: float = 0.7

    @property
    def tokens(self) -> float:
        """Of a text, on average."""
        return sum(length * share for length, share in self.lengths.items()) / sum(self.lengths.values())


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the arithmetic."""

    what: str
    how: str
    result: float
    unit: str


def arithmetic(load: Load, costs: Costs) -> Iterator[Step]:
    """The way from the costs to what is needed, step by step."""
    cores = 0.0
    for part, cost_us in (
        ("ingest", costs.ingest_us),
        ("Redis", costs.redis_us),
        ("screeners", costs.screener_us),
    ):
        needed = load.per_second * cost_us / 1e6 / load.busy
        cores += needed
        how = f"{load.per_second:,.0f} events/s × {cost_us:,.0f} µs ÷ {load.busy:g}"
        yield Step(part, how, needed, "cores")
        if part == "Redis" and needed > 1:
            yield Step("Redis has one thread", f"{needed:,.2f} cores ÷ 1", math.ceil(needed), "servers")
    shares = " + ".join(f"{length} × {share:g}" for length, share in load.lengths.items())
    yield Step("tokens of a text", f"({shares}) ÷ {sum(load.lengths.values()):g}", load.tokens, "tokens")
    computed = load.per_second * (1 - load.cache_hits)
    tokens = computed * load.tokens
    yield Step(
        "for the model", f"{load.per_second:,.0f} events/s × {1 - load.cache_hits:g}", computed, "texts/s"
    )
    yield Step("", f"{computed:,.0f} texts/s × {load.tokens:,.1f} tokens", tokens, "tokens/s")
    on_cores = tokens * costs.token_us / 1e6 / load.busy
    how = f"{tokens:,.0f} tokens/s × {costs.token_us:,.1f} µs ÷ {load.busy:g}"
    yield Step("the model on processors", how, on_cores, "cores")
    together = math.ceil(cores + on_cores)
    yield Step("all of it on processors", f"{cores:,.1f} + {on_cores:,.1f}", together, "cores")
    if costs.gpu_token_us is None:
        return
    gpus = tokens * costs.gpu_token_us / 1e6 / load.busy
    how = f"{tokens:,.0f} tokens/s × {costs.gpu_token_us:,.3f} µs ÷ {load.busy:g}"
    yield Step("the model on GPUs", how, math.ceil(gpus), "GPUs")
    yield Step("beside them", "the parts above", math.ceil(cores), "cores")


def _number(run: Mapping[str, Result], benchmark: str, detail: str) -> float:
    value = run[benchmark].details.get(detail) if benchmark in run else None
    if not isinstance(value, int | float):
        raise CostUnknown(
            f"no {detail!r}: `seawall bench {benchmark} --out FOLDER/{benchmark}.json` tells it"
        )
    return float(value)
