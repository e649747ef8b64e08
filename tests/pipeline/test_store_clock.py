"""One clock for all: Redis's, whatever the host's own says."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import redis.asyncio as aioredis

from pipeline.errors import StoreUnavailable
from pipeline.store import connect
from pipeline.store_clock import StoreClock

HOUR_S = 3_600.0
NEAR_MS = 60_000
"""Far more than a busy machine needs for a call of Redis, far less than an hour."""


def off_by(seconds: float) -> Callable[[], float]:
    return lambda: time.time() + seconds


def is_now(ms: int) -> bool:
    return abs(ms - time.time() * 1000) < NEAR_MS


@pytest.mark.parametrize("off_s", [HOUR_S, -HOUR_S])
async def test_a_host_that_is_an_hour_off_goes_by_redis(store: aioredis.Redis, off_s: float) -> None:
    clock = StoreClock(store, wall=off_by(off_s))
    assert not is_now(clock.now_ms())
    await clock.look()
    assert is_now(clock.now_ms())


async def test_between_two_looks_it_goes_on_by_what_nobody_sets(store: aioredis.Redis) -> None:
    at_s = 1_000.0
    clock = StoreClock(store, monotonic=lambda: at_s)
    await clock.look()
    before_ms = clock.now_ms()
    at_s += 7.25
    assert clock.now_ms() - before_ms == 7_250


async def test_a_host_whose_clock_is_set_meanwhile_notices_nothing(store: aioredis.Redis) -> None:
    off_s = 0.0
    clock = StoreClock(store, wall=lambda: time.time() + off_s)
    await clock.look()
    off_s = HOUR_S
    assert is_now(clock.now_ms())
    await clock.look()
    assert is_now(clock.now_ms())


async def test_without_redis_what_was_known_goes_on_to_hold() -> None:
    nobody = connect("redis://127.0.0.1:1/0", timeout_ms=200)
    clock = StoreClock(nobody)
    with pytest.raises(StoreUnavailable):
        await clock.look()
    assert is_now(clock.now_ms())
    await nobody.aclose()
