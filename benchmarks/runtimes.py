"""`seawall bench runtimes`: which runtime serves the model's graph fastest on this machine.

Every contestant runs the whole graph, embedding and risk branch, over the same texts, tokenisation included.
One that moves a probability by more than a build may is shown, and is no limit of anything: it answers
something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from benchmarks.contestants import EXACT, contestants, exact, served
from benchmarks.result import Effort, Line, Result
from benchmarks.runtime import BareRuntime, Runtime, Work, started
from benchmarks.texts import new_texts
from benchmarks.turns import Figures, Series, in_turns
from training.agreement import LARGEST_MOVE, Agreement, compare

REQUEST_TOKENS = 1_024
"""Of the contestants' batches; then the fastest is asked with others."""

_SIZES = (256, 512, 2_048, 4_096)
_COMPARED = 32


@dataclass(frozen=True, slots=True)
class Fastest:
    """The fastest runtime that answers as it should, and the batch that suits it best."""

    runtime: Runtime
    request_tokens: int


@dataclass(frozen=True, slots=True)
class _Race:
    """Figures by runtime, agreement with the exact one, and figures of the fastest by tokens of a batch."""

    speed: Mapping[str, Mapping[str, Series]]
    agreements: Sequence[Agreement]
    by_size: Mapping[int, Mapping[str, Series]]
    fastest: Fastest


async def measure(effort: Effort) -> Result:
    """Texts a second of each, how far its answers lie from FP32's, and the fastest with other batches."""
    race = await _race((exact(), served()) if effort.brief else contestants(), effort)
    reference = race.speed[EXACT]["texts_per_second"]
    lines = [
        Line(f"{name}, texts/s", figures["texts_per_second"], reference, EXACT)
        for name, figures in race.speed.items()
    ]
    lines += [
        Line(f"the fastest, batches of {size:,} tokens, texts/s", figures["texts_per_second"])
        for size, figures in sorted(race.by_size.items())
    ]
    details: dict[str, float | str] = {"the fastest that keeps the bound": race.fastest.runtime.name}
    for item in race.agreements:
        details |= {
            f"{item.variant}: least cosine to {EXACT}": item.least_cosine,
            f"{item.variant}: largest move of a probability": item.largest_move,
            f"{item.variant}: processor, ms a text": race.speed[item.variant]["processor_ms"].median,
        }
    return Result("runtimes", tuple(lines), details)


async def fastest(effort: Effort) -> Fastest:
    """Finds it in a short race; in brief, what Triton's backend takes."""
    if effort.brief:
        return Fastest(served(), REQUEST_TOKENS)
    return (await _race(contestants(), Effort(rounds=2, seconds=min(1.5, effort.seconds)))).fastest


async def _race(runtimes: Sequence[Runtime], effort: Effort) -> _Race:
    async with AsyncExitStack() as stack:
        bare = {runtime.name: await stack.enter_async_context(started(runtime)) for runtime in runtimes}
        some = new_texts(_COMPARED, seed=1)
        agreements = await _agreements(bare, some)
        rate = (await bare[EXACT].do(Work(some, REQUEST_TOKENS))).figures["texts_per_second"]
        texts = new_texts(max(_COMPARED, int(rate * effort.seconds)), seed=2)
        speed = await in_turns(
            {name: partial(_timed, each, Work(texts, REQUEST_TOKENS)) for name, each in bare.items()},
            rounds=effort.rounds,
        )
        agreeing = [item.variant for item in agreements if item.largest_move <= LARGEST_MOVE]
        best = max(agreeing, key=lambda name: speed[name]["texts_per_second"].median)
        sizes = () if effort.brief else _SIZES
        found = await in_turns(
            {str(size): partial(_timed, bare[best], Work(texts, size)) for size in sizes},
            rounds=effort.rounds,
        )
    by_size = {REQUEST_TOKENS: speed[best]} | {int(size): figures for size, figures in found.items()}
    size = max(by_size, key=lambda size: by_size[size]["texts_per_second"].median)
    [runtime] = [runtime for runtime in runtimes if runtime.name == best]
    return _Race(speed, agreements, by_size, Fastest(runtime, size))


async def _agreements(bare: Mapping[str, BareRuntime], texts: Sequence[str]) -> list[Agreement]:
    """How far each one's answers in batches lie from the exact one's, text by text."""
    alone = (await bare[EXACT].do(Work(texts, request_tokens=1))).answers
    return [
        compare(name, "in batches", (await each.do(Work(texts, REQUEST_TOKENS))).answers, alone)
        for name, each in bare.items()
    ]


async def _timed(bare: BareRuntime, work: Work) -> Figures:
    return (await bare.do(work)).figures
