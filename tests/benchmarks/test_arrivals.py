"""A benchmark that loses an event, or counts it twice, fails."""

from __future__ import annotations

import asyncio

import pytest
import redis.asyncio as aioredis

from benchmarks import arrivals as module
from benchmarks.arrivals import arrivals
from pipeline.keys import ONLY


async def publish(store: aioredis.Redis, stream: str, event_id: str) -> None:
    await store.xadd(stream, {"event_id": event_id, "payload": event_id.encode()})


async def test_verdicts_of_both_streams_are_seen_once_they_are_there(store: aioredis.Redis) -> None:
    await publish(store, ONLY.low_risk, "before")
    async with arrivals(store) as arrived:
        waiting = asyncio.create_task(arrived.of(["a", "b"]))
        await publish(store, ONLY.low_risk, "a")
        await publish(store, ONLY.reasoning_queue, "b")
        last_s = await waiting
        assert last_s == max(arrived.at_s["a"], arrived.at_s["b"])
        assert arrived.payloads["b"] == b"b"
        assert "before" not in arrived.at_s


async def test_an_event_without_a_verdict_fails_the_measurement(
    store: aioredis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0.1)
    async with arrivals(store) as arrived:
        await publish(store, ONLY.low_risk, "a")
        with pytest.raises(RuntimeError, match="1 of 2 events have no verdict"):
            await arrived.of(["a", "lost"])


async def test_an_event_with_two_verdicts_fails_the_measurement(store: aioredis.Redis) -> None:
    async with arrivals(store) as arrived:
        for event_id in ("a", "a", "b"):
            await publish(store, ONLY.low_risk, event_id)
        with pytest.raises(RuntimeError, match="1 of 2 events have two verdicts"):
            await arrived.of(["a", "b"])
