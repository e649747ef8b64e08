"""The benchmarks of `seawall bench`, each in a module of its own that is imported when it runs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from importlib import import_module
from typing import Any, cast

from benchmarks.result import Effort, Result

Measure = Callable[[Effort], Coroutine[Any, Any, Result]]

SUITE: Mapping[str, str] = {}
"""Name, and what it measures in a sentence. `ingest-batch` is `measure` in `benchmarks.ingest_batch`."""


def measure_of(name: str) -> Measure:
    """The benchmark's `measure`: starts what it needs, measures in turns, and ends what it started."""
    return cast("Measure", import_module(f"benchmarks.{name.replace('-', '_')}").measure)
