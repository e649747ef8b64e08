from __future__ import annotations

import pytest
import redis.asyncio as aioredis
from prometheus_client import CollectorRegistry

from pipeline.audit import AuditLog
from pipeline.dead_letter import DeadLetter
from pipeline.keys import ONLY
from screener.metrics import ScreenerMetrics
from screener.retention import Lives, Retention
from tests.fixtures.events import MakeEvent
from tests.fixtures.redis_state import event_ids_in

HOUR_MS = 3_600_000
STREAMS = (ONLY.reasoning_queue, ONLY.low_risk, ONLY.embeddings)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def retention(store: aioredis.Redis, registry: CollectorRegistry, *, dead_letters: int = 0) -> Retention:
    lives = Lives(dict.fromkeys(STREAMS, HOUR_MS), dead_letters)
    return Retention(store, ONLY, lives, ScreenerMetrics(registry))


async def hours_ago(store: aioredis.Redis, hours: float) -> str:
    """The id of an entry of that age, by Redis's clock."""
    seconds, _ = await store.time()
    return f"{int(seconds * 1000 - hours * HOUR_MS)}-0"


def expired(registry: CollectorRegistry, stream: str) -> float | None:
    return registry.get_sample_value("entries_expired_total", {"stream": stream})


@pytest.mark.parametrize("stream", STREAMS)
async def test_what_is_too_old_goes_and_what_is_younger_stays(
    store: aioredis.Redis, registry: CollectorRegistry, stream: str
) -> None:
    last_old = await hours_ago(store, 1.1)
    await store.xadd(stream, {"event_id": "oldest"}, id=await hours_ago(store, 2))
    await store.xadd(stream, {"event_id": "old"}, id=last_old)
    await store.xadd(stream, {"event_id": "young"}, id=await hours_ago(store, 0.5))

    await retention(store, registry).enforce()

    assert await event_ids_in(store, stream) == ["young"]
    assert expired(registry, stream) == 2
    # Watchers learn from it that there were verdicts before the oldest one left.
    assert await store.hget(ONLY.trimmed, stream) == last_old.encode()


async def test_what_a_group_has_yet_to_read_stays(store: aioredis.Redis, registry: CollectorRegistry) -> None:
    await store.xadd(ONLY.reasoning_queue, {"event_id": "old"}, id=await hours_ago(store, 2))
    await store.xgroup_create(ONLY.reasoning_queue, "readers", "0")
    await retention(store, registry).enforce()
    assert await event_ids_in(store, ONLY.reasoning_queue) == ["old"]


async def test_dead_letters_stay_for_ever_unless_their_life_is_set(
    store: aioredis.Redis, registry: CollectorRegistry, make_event: MakeEvent
) -> None:
    for event_id, hours in (("old", 2.0), ("young", 0.5)):
        letter = DeadLetter(event_id, "max_deliveries", 3, "5-1", "", (), make_event().encode())
        await store.xadd(ONLY.dead_letter, letter.fields(), id=await hours_ago(store, hours))  # type: ignore[arg-type]
    await retention(store, registry).enforce()
    assert await event_ids_in(store, ONLY.dead_letter) == ["old", "young"]
    assert [record async for record in AuditLog(store, ONLY).records()] == []

    registry = CollectorRegistry()
    await retention(store, registry, dead_letters=HOUR_MS).enforce()

    assert await event_ids_in(store, ONLY.dead_letter) == ["young"]
    assert expired(registry, ONLY.dead_letter) == 1
    [record] = [record async for record in AuditLog(store, ONLY).records()]
    assert (record.who, record.action, record.details["chosen"]) == ("retention", "dead_letters.drop", 1)


async def test_without_streams_there_is_nothing_to_do(
    store: aioredis.Redis, registry: CollectorRegistry
) -> None:
    await retention(store, registry, dead_letters=HOUR_MS).enforce()
    assert await store.keys("*") == []
