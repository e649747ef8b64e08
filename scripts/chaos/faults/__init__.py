"""The faults of chaos, one function each: it breaks something, and returns when that is mended or on its way.

How the rest takes it is not for the fault to wait for, unless that is what it is about.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from scripts.chaos.faults import (
    clocks,
    crashes,
    disk,
    freezes,
    inputs,
    network,
    redis_refusals,
    releases,
    restarts,
)
from scripts.chaos.stage import Stage


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault: its name, and what it does."""

    name: str
    strike: Callable[[Stage], Awaitable[None]]


FAULTS = (
    Fault("ingest killed", crashes.kill_ingest),
    Fault("a screener killed", crashes.kill_screener),
    Fault("all screeners away", crashes.screeners_away),
    Fault("Triton killed", crashes.kill_triton),
    Fault("Redis killed", crashes.kill_redis),
    Fault("Redis away", crashes.redis_away),
    Fault("a screener frozen", freezes.freeze_screener),
    Fault("Triton frozen", freezes.freeze_triton),
    Fault("Triton answers nonsense", releases.nonsense),
    Fault("Triton hangs", releases.hang),
    Fault("Redis frozen", freezes.freeze_redis),
    Fault("Redis out of memory", redis_refusals.out_of_memory),
    Fault("Redis read-only", redis_refusals.read_only),
    Fault("Redis's disk full", disk.redis_full),
    Fault("Redis slow", network.slow),
    Fault("connections to Redis cut", network.cut),
    Fault("answers of Redis lost", network.lose_answers),
    Fault("ingest restarted", restarts.restart_ingest),
    Fault("screeners restarted", restarts.restart_screeners),
    Fault("Triton restarted", restarts.restart_triton),
    Fault("Redis restarted", restarts.restart_redis),
    Fault("clocks set", clocks.step),
    Fault("poison", inputs.poison),
    Fault("overload", inputs.overload),
)
