"""The benchmarks of `seawall bench`, each in a module of its own that is imported when it runs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from importlib import import_module
from typing import Any, cast

from benchmarks.result import Effort, Result

Measure = Callable[[Effort], Coroutine[Any, Any, Result]]

SUITE: Mapping[str, str] = {
    "ingest-unary": "Single calls of Ingest, beside a handler that does nothing.",
    "ingest-batch": "IngestBatch of 100 and 500 events, beside what Redis alone can do with them.",
    "ingest-stream": "Events over open streams, beside a bidirectional handler that does nothing.",
    "runtimes": "The model's graph in every runtime that this machine has: which is the fastest.",
    "triton": "The model behind Triton, beside the fastest bare runtime with the same batches.",
    "screen-uncached": "The screener with texts that it has never seen, beside the fastest bare runtime.",
    "screen-cached": "The screener with texts that its cache holds: distinct ones, and the same ones again.",
    "heuristics": "Plain writing and the rules, on messages of all lengths.",
    "similarity": "The index of earlier texts beside exact search: 10,000, 100,000 and a million vectors.",
    "tokenize": "Our tokenizer, beside the library alone.",
    "end-to-end": "New texts from the call of ingest to the verdict in the stream.",
    "scale-out": "One, two and four workers of each service on this host, beside what one of them allows.",
    "memory-use": "What the services hold in memory over a million events, and Redis for each.",
    "baseline-ingest": "Ingestion beside the obvious design: FastAPI, single events and batches.",
    "baseline-screening": "Screening beside the obvious design: one event at a time, from end to end.",
}
"""Name, and what it measures in a sentence. `ingest-batch` is `measure` in `benchmarks.ingest_batch`."""


def measure_of(name: str) -> Measure:
    """The benchmark's `measure`: starts what it needs, measures in turns, and ends what it started."""
    return cast("Measure", import_module(f"benchmarks.{name.replace('-', '_')}").measure)
