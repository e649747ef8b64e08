"""Callers wait for verdicts, which are published as the screener does, or told as a direct screener's are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
import redis.asyncio as aioredis
from seawall.ingest.v1 import ingest_pb2

from pipeline.keys import GROUP, ONLY
from pipeline.move import Mover, StreamCaps
from pipeline.record import RecordState
from pipeline.store import connect
from pipeline.verdict import Verdict
from scripts.system.ports import Ports
from scripts.system.redis import RedisServer
from tests.fixtures.events import MakeEvent
from tests.fixtures.redis_state import entries_of, event_ids_in
from tests.fixtures.screening import Bench
from tests.fixtures.verdicts import RISKY, a_verdict, publish_verdicts
from tests.ingest.door import ACCEPTED, DUPLICATE, Ingest, bad_fields, retry_after_s, serving_ingest
from tests.pipeline.guarded import WITH_KEY
from tests.pipeline.way_out import publish

SHORT_MS = 100
LONG_MS = 20_000


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await is_so():
            await asyncio.sleep(0.01)


async def queued(store: aioredis.Redis, n: int) -> None:
    """Returns once `n` events lie in `events:raw`."""

    async def are_there() -> bool:
        return await store.xlen(ONLY.raw) >= n

    await until(are_there)


async def awaited(ingest: Ingest, n: int) -> None:
    """Returns once exactly `n` callers wait."""

    async def is_so() -> bool:
        return ingest.metric("verdicts_awaited") == n

    await until(is_so)


@pytest.mark.parametrize("changes", [{}, RISKY], ids=["low_risk", "reasoning_queue"])
async def test_the_verdict_that_is_published_is_the_answer(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent, changes: dict[str, object]
) -> None:
    asked = asyncio.create_task(ingest.verdict_of(make_event(), timeout_ms=LONG_MS))
    await queued(store, 1)
    verdict = a_verdict("event-1", **changes)
    await publish_verdicts(store, a_verdict("another"), verdict)
    answer = await asked
    assert (answer.outcome.code, answer.outcome.event_id) == (ACCEPTED, "event-1")
    assert answer.verdict.risk_score == verdict.risk_score
    assert answer == ingest_pb2.IngestResponse(
        outcome=answer.outcome, verdict=(await ingest.status("event-1")).verdict
    )
    assert ingest.metric("verdict_waits_total", end="verdict") == 1
    assert ingest.metric("verdicts_awaited") == 0


async def test_a_verdict_that_is_told_is_the_answer(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    asked = asyncio.create_task(ingest.verdict_of(make_event(), timeout_ms=LONG_MS))
    await queued(store, 1)
    verdict = a_verdict("event-1", **RISKY)
    ingest.verdicts.tell(a_verdict("another"))
    ingest.verdicts.tell(verdict)
    ingest.verdicts.tell(verdict)
    assert Verdict.from_proto((await asked).verdict) == verdict


async def test_an_event_that_ingest_names_gets_its_verdict_too(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    asked = asyncio.create_task(ingest.verdict_of(make_event(event_id="", created_at_ms=None)))
    await queued(store, 1)
    [event_id] = await event_ids_in(store, ONLY.raw)
    await publish_verdicts(store, a_verdict(event_id))
    answer = await asked
    assert answer.outcome.event_id == answer.verdict.event_id == event_id


async def test_without_a_verdict_in_time_the_event_is_accepted_all_the_same(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    answer = await ingest.verdict_of(make_event(), timeout_ms=SHORT_MS)
    assert (answer.outcome.code, answer.HasField("verdict")) == (ACCEPTED, False)
    assert ingest.metric("verdict_waits_total", end="none") == 1
    again = asyncio.create_task(ingest.verdict_of(make_event(), timeout_ms=LONG_MS))
    await awaited(ingest, 1)
    await publish_verdicts(store, a_verdict("event-1"))
    retried = await again
    assert (retried.outcome.code, retried.outcome.duplicate_of) == (DUPLICATE, "event-1")
    assert retried.verdict.event_id == "event-1"


async def test_a_duplicate_of_a_screened_event_has_its_verdict_at_once(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await ingest.one(make_event())
    await publish_verdicts(store, a_verdict("event-1"))
    for event_id in ("event-1", "event-2"):
        answer = await ingest.verdict_of(make_event(event_id=event_id), timeout_ms=LONG_MS)
        assert (answer.outcome.code, answer.outcome.event_id) == (DUPLICATE, event_id)
        assert answer.outcome.duplicate_of == answer.verdict.event_id == "event-1"


async def test_a_duplicate_waits_for_the_verdict_of_the_first(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await ingest.one(make_event())
    asked = [
        asyncio.create_task(ingest.verdict_of(make_event(event_id=event_id), timeout_ms=LONG_MS))
        for event_id in ("event-2", "event-3", "event-1")
    ]
    await awaited(ingest, 3)
    await publish_verdicts(store, a_verdict("event-1"))
    assert [(await answer).verdict.event_id for answer in asked] == ["event-1"] * 3


async def test_a_duplicate_of_one_that_became_a_duplicate_waits_for_the_first_of_all(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await ingest.one(make_event())
    record: bytes = await store.get(ONLY.event("event-1"))  # type: ignore[assignment]
    await store.set(ONLY.event("event-0"), b"q" + record[1:])
    await store.set(ONLY.event("event-1"), b"=" + record[1:] + b"event-0")
    asked = asyncio.create_task(ingest.verdict_of(make_event(event_id="event-2"), timeout_ms=LONG_MS))
    await awaited(ingest, 1)
    await publish_verdicts(store, a_verdict("event-0"))
    assert (await asked).verdict.event_id == "event-0"


async def dead_letter(store: aioredis.Redis) -> None:
    [(entry_id, _)] = await entries_of(store, ONLY.raw)
    mover = Mover(store, ONLY, source=ONLY.raw, group=GROUP, caps=StreamCaps())
    await mover.move([publish(entry_id, "event-1", to=ONLY.dead_letter, state=RecordState.DEAD_LETTERED)])


async def test_an_event_that_is_given_up_has_no_verdict(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    asked = asyncio.create_task(ingest.verdict_of(make_event(), timeout_ms=1_000))
    await queued(store, 1)
    await dead_letter(store)
    answer = await asked
    assert (answer.outcome.code, answer.HasField("verdict")) == (ACCEPTED, False)
    # There is nothing to wait for any more.
    answer = await ingest.verdict_of(make_event(), timeout_ms=LONG_MS, deadline_s=10)
    assert (answer.outcome.code, answer.HasField("verdict")) == (DUPLICATE, False)


async def test_a_call_is_answered_before_its_own_deadline(ingest: Ingest, make_event: MakeEvent) -> None:
    for timeout_ms in (None, LONG_MS):
        answer = await ingest.verdict_of(make_event(), timeout_ms=timeout_ms, deadline_s=1)
        assert answer.outcome.event_id == "event-1"
        assert not answer.HasField("verdict")


async def test_a_call_without_a_deadline_waits_as_it_asked_to(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    request = ingest_pb2.IngestRequest(event=make_event().to_proto(), wait_for_verdict=True)
    asked = asyncio.ensure_future(ingest.stub.Ingest(request, metadata=WITH_KEY))
    await queued(store, 1)
    await publish_verdicts(store, a_verdict("event-1"))
    assert (await asked).verdict.event_id == "event-1"


@pytest.mark.parametrize("timeout_ms", [0, -1, 60_001, 10**12])
async def test_a_wait_of_a_wrong_length_is_a_bad_field(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent, timeout_ms: int
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await ingest.verdict_of(make_event(content=""), timeout_ms=timeout_ms)
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert bad_fields(failed.value) == ["content", "verdict_timeout"]
    assert await store.dbsize() == 0


async def test_an_event_that_is_refused_is_not_waited_for(ingest: Ingest, make_event: MakeEvent) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await ingest.verdict_of(make_event(content=""), timeout_ms=LONG_MS)
    assert bad_fields(failed.value) == ["content"]
    assert ingest.metric("verdicts_awaited") == 0


async def test_too_many_who_wait_are_refused_before_they_are_queued(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    async with serving_ingest(store, max_verdict_waits=1) as ingest:
        asked = asyncio.create_task(ingest.verdict_of(make_event(), timeout_ms=LONG_MS))
        await queued(store, 1)
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await ingest.verdict_of(make_event(event_id="event-2", content="other"))
        assert failed.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert retry_after_s(failed.value) > 0
        assert await event_ids_in(store, ONLY.raw) == ["event-1"]
        await publish_verdicts(store, a_verdict("event-1"))
        assert (await asked).verdict.event_id == "event-1"
        assert (await ingest.verdict_of(make_event())).verdict.event_id == "event-1"


async def test_a_caller_who_goes_away_makes_room(ingest: Ingest, make_event: MakeEvent) -> None:
    asked = asyncio.create_task(ingest.verdict_of(make_event(), timeout_ms=LONG_MS))
    await awaited(ingest, 1)
    asked.cancel()
    await awaited(ingest, 0)


async def test_who_still_waits_at_the_end_is_answered_without_a_verdict(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    asked = asyncio.create_task(ingest.verdict_of(make_event(), timeout_ms=LONG_MS))
    await queued(store, 1)
    ingest.verdicts.stop(within_s=0)
    late = await ingest.verdict_of(make_event(event_id="event-2", content="other"), timeout_ms=LONG_MS)
    for answer in (await asked, late):
        assert (answer.outcome.code, answer.HasField("verdict")) == (ACCEPTED, False)


@asynccontextmanager
async def own_redis(folder: Path) -> AsyncIterator[tuple[RedisServer, aioredis.Redis]]:
    """A Redis that a test may stop."""
    server = RedisServer(port=Ports().take(name="Redis"), folder=folder)
    server.start()
    server.wait_ready()
    client = connect(server.url, timeout_ms=500)
    try:
        yield server, client
    finally:
        await client.aclose()
        server.stop()


async def test_a_redis_that_goes_away_fails_no_call_that_was_accepted(
    tmp_path: Path, make_event: MakeEvent
) -> None:
    async with own_redis(tmp_path) as (server, client), serving_ingest(client) as ingest:
        asked = asyncio.create_task(ingest.verdict_of(make_event(), timeout_ms=2_000))
        told = asyncio.create_task(ingest.verdict_of(make_event(event_id="event-2", content="other")))
        await queued(client, 2)
        server.stop()
        ingest.verdicts.tell(a_verdict("event-2"))
        assert (await told).verdict.event_id == "event-2"
        answer = await asked
        assert (answer.outcome.code, answer.HasField("verdict")) == (ACCEPTED, False)
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await ingest.verdict_of(make_event(event_id="event-3", content="third"))
        assert failed.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_no_verdict_slips_through_while_a_screener_works(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    events = [make_event(event_id=f"e{i}", content=f"text {i}") for i in range(150)]
    async with Bench(store).running():
        for part in range(0, 150, 50):  # with pauses in which nobody waits
            answers = await asyncio.gather(
                *(ingest.verdict_of(event, timeout_ms=LONG_MS) for event in events[part : part + 50])
            )
            assert [a.verdict.event_id for a in answers] == [e.event_id for e in events[part : part + 50]]
    assert await store.xlen(ONLY.raw) == 0


async def test_a_key_is_needed_as_ever(ingest: Ingest, make_event: MakeEvent) -> None:
    request = ingest_pb2.IngestRequest(event=make_event().to_proto(), wait_for_verdict=True)
    call = ingest.stub.Ingest(request, metadata=(("api-key", "x" * len(WITH_KEY[0][1])),), timeout=10)
    assert await call.code() is grpc.StatusCode.UNAUTHENTICATED
