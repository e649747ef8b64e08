"""`seawall bench triton`: the model behind Triton, beside the fastest bare runtime with the same batches.

- The batches that the screener makes of texts, one after the other: texts a second, and processor a text, of
  server and backend together.
- Single texts of one length by many callers at once: Triton joins those that wait, which its own counters
  show. The limit has them in batches of that size.
- A single text at half of the rate of single texts: percentiles from when each was due.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc.aio import InferenceServerClient

from benchmarks.model_settings import request_tokens, requests_in_flight
from benchmarks.open_loop import at_rate
from benchmarks.processor import processor_s
from benchmarks.result import Effort, Line, Result, Wanted
from benchmarks.runtime import BareRuntime, Work, started
from benchmarks.runtimes import fastest
from benchmarks.texts import new_texts
from benchmarks.turns import Figures, Series, in_turns, percentile
from screener.buckets import Bucket, bucketed, padded_share
from screener.model import ModelVersion
from screener.tokens import Tokenizer
from screener.triton import MAX_BATCH, MODEL, TritonModel
from screener.triton_request import infer_bucket
from scripts.system.system import TOKENIZER, Part, System

CALLERS = 32
_WIDTH = 32  # tokens, of the single texts
_READ_AT_ONCE = 100  # texts that the screener batches together
_TIMEOUT_S = 60.0
_LEAST_COSINE = 0.999


async def measure(effort: Effort) -> Result:
    """Measures a Triton of its own.

    Raises:
        RuntimeError: it answers otherwise than the bare runtime.
    """
    best = await fastest(effort)
    with System(parts=frozenset({Part.TRITON})) as system:
        async with started(best.runtime) as bare, InferenceServerClient(system.triton.grpc_url) as client:
            version = await _version(system)
            served = _Served(system, client, version.number)
            some = _batches(new_texts(CALLERS, seed=1))
            rate = (await served.batches(some))["texts_per_second"]
            count = max(CALLERS, int(rate * effort.seconds))
            batches = _batches(new_texts(count, seed=2))
            singles = _singles(count)
            await _require_agreement(served, bare, some)
            found = await in_turns(
                {
                    "triton": partial(served.batches, batches),
                    "bare": partial(_bare, bare, batches),
                    "triton, singles": partial(served.singles, singles),
                    "bare, singles": partial(_bare, bare, _joined(singles)),
                },
                rounds=effort.rounds,
            )
            half = found["triton, singles"]["texts_per_second"].median / 2
            paced = await in_turns(
                {"paced": partial(served.paced, singles, half, effort.seconds)}, rounds=effort.rounds
            )
    return Result(
        "triton",
        (
            _line(
                "the screener's batches, texts/s",
                found,
                "",
                "texts_per_second",
                Wanted(least=0.95, of_ratio=True),
            ),
            _line("the screener's batches, processor, ms a text", found, "", "processor_ms"),
            _line(f"single texts by {CALLERS} callers, texts/s", found, ", singles", "texts_per_second"),
            Line(
                "their mean batch, texts", found["triton, singles"]["mean_batch"], wanted=(Wanted(least=4),)
            ),
            Line(f"a single text at {half:.3g}/s, p50, ms", paced["paced"]["p50_ms"]),
            Line(f"a single text at {half:.3g}/s, p99, ms", paced["paced"]["p99_ms"]),
        ),
        {
            "the bare runtime": best.runtime.name,
            "served": version.precision,
            **_gpu_cost(version, batches, found["triton"]["texts_per_second"]),
            "rows of a batch of the screener's, mean": float(np.mean([len(each.rows) for each in batches])),
            "padded share of the screener's tokens": padded_share(batches),
        },
    )


@dataclass(frozen=True, slots=True)
class _Served:
    """Triton, as its clients load it."""

    system: System
    client: InferenceServerClient
    version: int

    async def batches(self, batches: Sequence[Bucket]) -> Figures:
        """As many at once as a screener sends."""
        todo = iter(batches)
        senders = (self._each(todo) for _ in range(requests_in_flight()))
        return await self._timed(asyncio.gather(*senders), batches)

    async def singles(self, singles: Sequence[Bucket]) -> Figures:
        """By many callers, each with one text at a time."""
        before = await self._counters()
        todo = iter(singles)
        figures = await self._timed(asyncio.gather(*(self._each(todo) for _ in range(CALLERS))), singles)
        texts, runs = np.subtract(await self._counters(), before)
        return {**figures, "mean_batch": float(texts / runs)}

    async def paced(self, singles: Sequence[Bucket], per_second: float, seconds: float) -> Figures:
        """One text at a time, at a fixed rate."""

        async def call(number: int) -> None:
            await self.ask(singles[number % len(singles)])

        times = await at_rate(call, per_second=per_second, seconds=seconds)
        return {"p50_ms": 1000 * percentile(times, 0.5), "p99_ms": 1000 * percentile(times, 0.99)}

    async def ask(self, bucket: Bucket) -> NDArray[np.float32]:
        """The embeddings of a batch."""
        answer = await infer_bucket(
            self.client, bucket, model=MODEL, version=self.version, timeout_s=_TIMEOUT_S
        )
        return answer["embedding"]

    async def _each(self, todo: Iterator[Bucket]) -> None:
        for bucket in todo:
            await self.ask(bucket)

    async def _timed(self, work: Awaitable[object], batches: Sequence[Bucket]) -> Figures:
        began, processor = time.perf_counter(), processor_s(self.system.triton.pid or 0)
        await work
        taken = time.perf_counter() - began
        texts = sum(len(bucket.rows) for bucket in batches)
        used_s = processor_s(self.system.triton.pid or 0) - processor
        return {"texts_per_second": texts / taken, "processor_ms": 1000 * used_s / texts}

    async def _counters(self) -> tuple[int, int]:
        """Texts inferred and runs of the model, by now."""
        told = await self.client.get_inference_statistics(MODEL, str(self.version))
        [statistics] = told.model_stats
        return int(statistics.inference_count), int(statistics.execution_count)


def _batches(texts: Sequence[str]) -> list[Bucket]:
    """What the screener would send of them; rows numbered over all texts."""
    encoded = Tokenizer.from_file(TOKENIZER).encode(texts)
    return [
        Bucket(bucket.rows + at, bucket.input_ids, bucket.attention_mask)
        for at in range(0, len(texts), _READ_AT_ONCE)
        for bucket in bucketed(
            encoded[at : at + _READ_AT_ONCE], max_batch=MAX_BATCH, max_tokens=request_tokens()
        )
    ]


def _singles(count: int) -> list[Bucket]:
    """Single texts of the most common length, each numbered 0."""
    encoded = Tokenizer.from_file(TOKENIZER).encode(new_texts(4 * count, seed=3))
    alike = [ids for ids in encoded if _WIDTH / 2 < len(ids) <= _WIDTH][:count]
    return [bucketed([ids], max_batch=1, edges=(_WIDTH,))[0] for ids in alike]


def _joined(singles: Sequence[Bucket]) -> list[Bucket]:
    return [
        Bucket(
            np.arange(at, at + len(part)),
            np.concatenate([each.input_ids for each in part]),
            np.concatenate([each.attention_mask for each in part]),
        )
        for at in range(0, len(singles), CALLERS)
        for part in [singles[at : at + CALLERS]]
    ]


def _gpu_cost(version: ModelVersion, batches: Sequence[Bucket], rate: Series) -> dict[str, float]:
    """What `seawall bench calculator` reads, where a GPU serves: it is taken to be busy all the time."""
    if not version.precision.startswith("gpu"):
        return {}
    tokens = sum(int(bucket.attention_mask.sum()) for bucket in batches)
    texts = sum(len(bucket.rows) for bucket in batches)
    return {"GPU us a token": 1e6 / (rate.median * tokens / texts)}


async def _bare(bare: BareRuntime, batches: Sequence[Bucket]) -> Figures:
    return (await bare.do(Work(buckets=batches))).figures


async def _version(system: System) -> ModelVersion:
    model = TritonModel.connect(system.triton.grpc_url, Tokenizer.from_file(TOKENIZER))
    try:
        return await model.current_version()
    finally:
        await model.close()


async def _require_agreement(served: _Served, bare: BareRuntime, batches: Sequence[Bucket]) -> None:
    expected = (await bare.do(Work(buckets=batches))).answers.embeddings
    for bucket in batches:
        found = await served.ask(bucket)
        lengths = np.linalg.norm(found, axis=1)
        cosines = (found * expected[bucket.rows]).sum(axis=1)
        if np.abs(lengths - 1).max() > 1e-3 or cosines.min() < _LEAST_COSINE:
            raise RuntimeError(
                f"Triton's embeddings are not the bare runtime's: least cosine {cosines.min():.4f}"
            )


def _line(figure: str, found: dict[str, dict[str, Series]], which: str, name: str, *wanted: Wanted) -> Line:
    return Line(
        figure, found[f"triton{which}"][name], found[f"bare{which}"][name], "the bare runtime", wanted
    )
