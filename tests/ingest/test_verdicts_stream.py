"""Items of a stream that wait for their verdicts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import redis.asyncio as aioredis
from seawall.ingest.v1 import ingest_pb2

from pipeline.event import Event
from pipeline.keys import ONLY
from tests.fixtures.events import MakeEvent
from tests.fixtures.screening import Bench
from tests.fixtures.verdicts import a_verdict, publish_verdicts
from tests.ingest.door import ACCEPTED, DUPLICATE, REJECTED, RETRY_LATER, Ingest, Request, serving_ingest
from tests.ingest.test_verdicts import LONG_MS, SHORT_MS, awaited, queued
from tests.pipeline.guarded import WITH_KEY

Answer = ingest_pb2.IngestStreamResponse
Stream = Callable[..., AsyncIterator[Answer]]


def waiting(number: int, event: Event, *, timeout_ms: int = LONG_MS, once: bool = False) -> Request:
    request = Request(correlation_id=number, event=event.to_proto(), wait_for_verdict=True, answer_once=once)
    request.verdict_timeout.FromMilliseconds(timeout_ms)
    return request


def told(answer: Answer) -> tuple[int, int, str, bool]:
    """Number, code, the verdict's event, whether it is the last."""
    return answer.correlation_id, answer.outcome.code, answer.verdict.event_id, answer.last


async def all_of(ingest: Ingest, *requests: Request) -> list[Answer]:
    return [
        answer async for answer in ingest.stub.IngestStream(iter(requests), metadata=WITH_KEY, timeout=20)
    ]


async def test_an_item_is_answered_twice_and_others_go_on_meanwhile(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    stream = ingest.stub.IngestStream(metadata=WITH_KEY, timeout=20)

    async def read() -> tuple[int, int, str, bool]:
        answer = await stream.read()
        assert isinstance(answer, Answer)
        return told(answer)

    await stream.write(waiting(1, make_event()))
    assert await read() == (1, ACCEPTED, "", False)
    await stream.write(Request(correlation_id=2, event=make_event(event_id="e2", content="2").to_proto()))
    assert await read() == (2, ACCEPTED, "", True)
    await stream.write(waiting(3, make_event(event_id="e3")))
    assert await read() == (3, DUPLICATE, "", False)
    await publish_verdicts(store, a_verdict("event-1"))
    assert sorted([await read(), await read()]) == [
        (1, ACCEPTED, "event-1", True),
        (3, DUPLICATE, "event-1", True),
    ]
    await stream.done_writing()
    assert (await stream.code()).name == "OK"


async def test_with_answer_once_there_is_one_answer(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    answers = asyncio.create_task(all_of(ingest, waiting(1, make_event(), once=True)))
    await awaited(ingest, 1)
    await publish_verdicts(store, a_verdict("event-1"))
    assert [told(answer) for answer in await answers] == [(1, ACCEPTED, "event-1", True)]


@pytest.mark.parametrize("once", [True, False])
async def test_without_a_verdict_in_time_the_last_answer_has_none(
    ingest: Ingest, make_event: MakeEvent, once: bool
) -> None:
    answers = await all_of(ingest, waiting(1, make_event(), timeout_ms=SHORT_MS, once=once))
    wanted = [(1, ACCEPTED, "", False), (1, ACCEPTED, "", True)]
    assert [told(answer) for answer in answers] == (wanted[1:] if once else wanted)


@pytest.mark.parametrize("once", [True, False])
async def test_an_item_that_is_not_accepted_is_answered_once(
    store: aioredis.Redis, make_event: MakeEvent, once: bool
) -> None:
    async with serving_ingest(store, depth_limit=1) as ingest:
        answers = await all_of(
            ingest,
            waiting(1, make_event(), timeout_ms=1_000, once=True),
            waiting(2, make_event(event_id="e2", content=""), once=once),
            waiting(3, make_event(event_id="e3"), timeout_ms=0, once=once),
            waiting(4, make_event(event_id="e4", content="no room"), once=once),
            waiting(5, make_event(content="other"), once=once),
        )
    assert sorted(told(answer) for answer in answers) == [
        (1, ACCEPTED, "", True),
        (2, REJECTED, "", True),
        (3, REJECTED, "", True),
        (4, RETRY_LATER, "", True),
        (5, REJECTED, "", True),
    ]
    fields = {a.correlation_id: [v.field for v in a.outcome.violations] for a in answers}
    assert (fields[2], fields[3], fields[5]) == (["content"], ["verdict_timeout"], ["event_id"])


async def test_too_many_who_wait_are_told_to_retry_and_not_queued(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    async with serving_ingest(store, max_verdict_waits=2) as ingest:
        events = [make_event(event_id=f"e{i}", content=f"text {i}") for i in range(5)]
        requests = (waiting(i, event, timeout_ms=500, once=True) for i, event in enumerate(events))
        codes = [answer.outcome.code for answer in await all_of(ingest, *requests)]
    assert (codes.count(ACCEPTED), codes.count(RETRY_LATER)) == (2, 3)
    assert await store.xlen(ONLY.raw) == 2


async def test_an_item_that_waits_takes_its_place_until_its_last_answer(
    store: aioredis.Redis, make_event: MakeEvent
) -> None:
    async with serving_ingest(store, stream_in_flight=2) as ingest:
        events = [make_event(event_id=f"e{i}", content=f"text {i}") for i in range(6)]
        reading = asyncio.create_task(all_of(ingest, *(waiting(i, event) for i, event in enumerate(events))))
        for done in range(0, 6, 2):
            await queued(store, 2)
            assert (await store.xlen(ONLY.raw), ingest.metric("verdicts_awaited")) == (2, 2)
            await publish_verdicts(store, a_verdict(f"e{done}"), a_verdict(f"e{done + 1}"))
        answers = await reading
    lasts = [answer for answer in answers if answer.last]
    assert [answer.verdict.event_id for answer in lasts] == [f"e{i}" for i in range(6)]
    assert len(answers) == 12


async def test_a_stream_that_is_left_makes_room(ingest: Ingest, make_event: MakeEvent) -> None:
    stream = ingest.stub.IngestStream(metadata=WITH_KEY, timeout=20)
    for i, once in enumerate((True, False)):
        await stream.write(waiting(i, make_event(event_id=f"e{i}", content=f"text {i}"), once=once))
    await awaited(ingest, 2)
    stream.cancel()
    await awaited(ingest, 0)


async def test_a_screener_answers_many_items_of_many_streams(
    ingest: Ingest, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    async def send(stream: int) -> list[Answer]:
        events = [make_event(event_id=f"s{stream}.{i}", content=f"text {i}") for i in range(40)]
        return await all_of(ingest, *(waiting(i, event) for i, event in enumerate(events)))

    async with Bench(store).running():
        answers = [
            answer for stream in await asyncio.gather(*(send(s) for s in range(4))) for answer in stream
        ]
    firsts, lasts = ([a for a in answers if a.last is last] for last in (False, True))
    assert len(firsts) == len(lasts) == 160
    assert all(a.verdict.event_id == (a.outcome.duplicate_of or a.outcome.event_id) for a in lasts)
    assert [a.outcome.code for a in lasts].count(ACCEPTED) == 40
