"""Verdicts are watched through a real channel, while they are published as the worker publishes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import redis.asyncio as aioredis
from seawall.screening.v1 import screening_pb2, verdict_pb2

from pipeline.event import Platform
from pipeline.keys import ONLY
from pipeline.move import StreamCaps
from pipeline.verdict import Category, Flag, Route, Verdict
from scripts.system.redis import RedisServer
from tests.fixtures.events import MakeEvent
from tests.fixtures.redis_state import entries_of
from tests.fixtures.screening import Bench
from tests.fixtures.verdicts import RISKY, a_verdict, publish_verdicts
from tests.ingest.door import bad_fields
from tests.screener.test_housekeeping import trim
from tests.screener.watching import Screener, Told, begun, ids, info_of, serving_screener, some

FROM_START = "0-0_0-0"


@pytest.fixture
async def screener(store: aioredis.Redis, redis_server: RedisServer) -> AsyncIterator[Screener]:
    async with serving_screener(redis_server.url) as served:
        yield served


async def test_verdicts_are_told_whole_from_now_on(screener: Screener, store: aioredis.Redis) -> None:
    await publish_verdicts(store, a_verdict("earlier"))
    watch = screener.watch()
    await begun(watch)
    verdict = a_verdict("risky", **RISKY, flags=(Flag("slur", 0.5, 3, 7, Category.HATE_SPEECH),))
    await publish_verdicts(store, verdict)
    [message] = await watch.told(1)
    assert Verdict.from_proto(message.verdict) == verdict


async def test_the_verdicts_of_a_worker_are_told(
    screener: Screener, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    watch = screener.watch()
    await begun(watch)
    bench = Bench(store)
    async with bench.running():
        await bench.admit(*(make_event(event_id=f"e{i}", content=f"text {i}") for i in range(20)))
        assert sorted(ids(await watch.told(20))) == sorted(f"e{i}" for i in range(20))


async def test_a_watch_begins_anywhere_and_misses_and_doubles_nothing(
    screener: Screener, store: aioredis.Redis
) -> None:
    await publish_verdicts(store, *some(30))
    messages = await screener.watch(position=FROM_START).told(30)
    assert sorted(ids(messages)) == sorted(f"e{i}" for i in range(30))
    for i in (0, 7, 28):
        rest = screener.watch(position=messages[i].position)
        await begun(rest)
        assert ids(await rest.told(29 - i)) == ids(messages[i + 1 :])


async def test_a_broken_connection_leaves_no_gap_while_verdicts_are_published(
    store: aioredis.Redis, redis_server: RedisServer
) -> None:
    async def publish_all() -> None:
        for i in range(0, 300, 5):
            await publish_verdicts(store, *some(5, first=i))
            await asyncio.sleep(0.005)

    told: list[str] = []
    position = FROM_START
    publishing = asyncio.create_task(publish_all())
    while len(told) < 300:
        # Each time another screener, and another connection, which is gone in the middle of what comes.
        async with serving_screener(redis_server.url) as screener:
            for message in await screener.watch(position=position).told(min(60, 300 - len(told))):
                told.append(message.verdict.event_id)
                position = message.position
    await publishing
    assert sorted(told) == sorted(f"e{i}" for i in range(300))


ALL = [
    a_verdict("low"),
    a_verdict("risky", **RISKY),
    a_verdict("spam", **{**RISKY, "category": Category.SPAM, "risk_score": 0.7}),
    a_verdict("slack", platform=Platform.SLACK, risk_score=0.5),
]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({}, ["low", "risky", "spam", "slack"]),
        ({"categories": [Category.SPAM]}, ["spam"]),
        ({"categories": [Category.SPAM, Category.LOW_RISK]}, ["low", "spam", "slack"]),
        ({"platforms": [Platform.SLACK]}, ["slack"]),
        ({"platforms": [Platform.SLACK, Platform.DISCORD]}, ["low", "risky", "spam", "slack"]),
        ({"route": Route.REASONING_QUEUE}, ["risky", "spam"]),
        ({"route": Route.LOW_RISK}, ["low", "slack"]),
        ({"min_risk_score": 0.7}, ["risky", "spam"]),
        ({"min_risk_score": 0.3, "platforms": [Platform.SLACK], "route": Route.LOW_RISK}, ["slack"]),
    ],
)
async def test_filters_let_through_what_is_wanted(
    screener: Screener, store: aioredis.Redis, wanted: dict[str, Any], told: list[str]
) -> None:
    last = a_verdict("last", platform=Platform.SLACK, risk_score=1.0, route=Route.LOW_RISK)
    both = [a_verdict(f"end.{c.name}", **{**RISKY, "risk_score": 1.0, "category": c}) for c in Category if c]
    await publish_verdicts(store, *ALL)
    await publish_verdicts(store, last, *both)
    watch = screener.watch(position=FROM_START, **wanted)
    assert sorted(ids(await watch.told(len(told)))) == sorted(told)


@pytest.mark.parametrize(
    ("fields", "bad"),
    [
        ({"position": "yesterday"}, ["position"]),
        ({"position": "1-0"}, ["position"]),
        ({"min_risk_score": -0.1}, ["min_risk_score"]),
        ({"min_risk_score": float("nan")}, ["min_risk_score"]),
        ({"min_risk_score": 1.5, "route": 9, "position": "x"}, ["route", "min_risk_score", "position"]),
        ({"categories": [1, 0]}, ["categories"]),
        ({"categories": [8]}, ["categories"]),
        ({"platforms": [99]}, ["platforms"]),
    ],
)
async def test_every_bad_field_is_named(screener: Screener, fields: dict[str, Any], bad: list[str]) -> None:
    _, error = await screener.watch(**fields).to_its_end()
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert bad_fields(error) == bad


async def test_where_nothing_is_wanted_the_position_goes_on(
    store: aioredis.Redis, redis_server: RedisServer
) -> None:
    async with serving_screener(redis_server.url, fresh_s=0.1) as screener:
        watch = screener.watch(min_risk_score=1.0)
        await begun(watch)
        await publish_verdicts(store, *some(10))
        streams = (ONLY.reasoning_queue, ONLY.low_risk)
        end = "_".join([(await entries_of(store, stream))[-1][0] for stream in streams])
        async with asyncio.timeout(10):
            while (message := await watch.next()).position != end:
                assert not message.HasField("verdict")
        await watch.next()  # it is told even where nothing moves, so that a dead connection is noticed
        await publish_verdicts(store, a_verdict("after"))
        assert ids(await screener.watch(position=end).told(1)) == ["after"]


async def test_a_position_that_was_trimmed_away_is_out_of_range(
    screener: Screener, store: aioredis.Redis
) -> None:
    await publish_verdicts(store, *(a_verdict(f"e{i}") for i in range(250)))
    await publish_verdicts(store, a_verdict("last"), caps=StreamCaps({ONLY.low_risk: 100}))
    left = await store.xlen(ONLY.low_risk)
    _, error = await screener.watch(position=FROM_START).to_its_end()
    assert error.code() is grpc.StatusCode.OUT_OF_RANGE
    info = info_of(error)
    assert info.reason == "POSITION_LOST"
    messages = await screener.watch(position=info.metadata["oldest_position"]).told(left)
    assert ids(messages) == [f"e{i}" for i in range(251 - left, 250)] + ["last"]


async def test_what_a_group_has_acknowledged_is_told_as_long_as_it_is_kept(
    screener: Screener, store: aioredis.Redis
) -> None:
    ids_there = await publish_verdicts(store, *(a_verdict(f"e{i}", **RISKY) for i in range(5)))
    await store.xgroup_create(ONLY.reasoning_queue, "analysts", id="0")
    await store.xreadgroup("analysts", "one", {ONLY.reasoning_queue: ">"})
    await store.xack(ONLY.reasoning_queue, "analysts", *ids_there)
    await trim(store, keep_ms=60_000)
    messages = await screener.watch(position=FROM_START).told(5)
    assert ids(messages) == [f"e{i}" for i in range(5)]
    await trim(store)  # all but the last
    _, error = await screener.watch(position=messages[0].position).to_its_end()
    assert error.code() is grpc.StatusCode.OUT_OF_RANGE
    oldest = info_of(error).metadata["oldest_position"]
    for position in (oldest, messages[3].position):  # the fourth was the last that went
        assert ids(await screener.watch(position=position).told(1)) == ["e4"]


async def test_a_position_past_the_end_is_out_of_range(screener: Screener) -> None:
    _, error = await screener.watch(position=f"0-0_{2**60}-0").to_its_end()
    assert error.code() is grpc.StatusCode.OUT_OF_RANGE
    assert info_of(error).metadata["oldest_position"] == FROM_START


async def test_a_verdict_that_is_none_is_passed_over(screener: Screener, store: aioredis.Redis) -> None:
    watch = screener.watch()
    await begun(watch)
    await store.xadd(ONLY.low_risk, {"event_id": "bad", "payload": b"\xff\xff"})
    await store.xadd(ONLY.low_risk, {"event_id": "none"})
    await publish_verdicts(store, a_verdict("good"))
    assert "good" in ids(await watch.told(2))


def test_messages_are_read_as_the_contract_has_them() -> None:
    fields = {f.name for f in screening_pb2.WatchVerdictsRequest.DESCRIPTOR.fields}
    assert fields == {"categories", "platforms", "route", "min_risk_score", "position"}
    assert {f.name for f in Told.DESCRIPTOR.fields} == {"position", "verdict"}
    assert verdict_pb2.Verdict.DESCRIPTOR.full_name == "seawall.screening.v1.Verdict"
