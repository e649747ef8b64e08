"""What ends a watch, and what does not: too many, too slow, a drain, a Redis that is away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest
import redis.asyncio as aioredis

from pipeline.store import connect
from pipeline.verdict import Flag, Verdict
from scripts.system.ports import Ports
from scripts.system.redis import RedisServer
from tests.fixtures.events import MakeEvent
from tests.fixtures.screening import Bench
from tests.fixtures.verdicts import a_verdict, publish_verdicts
from tests.ingest.door import retry_after_s
from tests.screener.watching import Told, begun, ids, info_of, serving_screener, some

FROM_START = "0-0_0-0"


async def test_one_watcher_too_many_is_told_to_come_again(
    store: aioredis.Redis, redis_server: RedisServer
) -> None:
    async with serving_screener(redis_server.url, max_watchers=2) as screener:
        first, second = screener.watch(), screener.watch()
        await begun(first)
        await begun(second)
        _, error = await screener.watch().to_its_end()
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert retry_after_s(error) > 0
        first.call.cancel()
        await screener.until_watched_by(1)
        await begun(screener.watch())
        await publish_verdicts(store, a_verdict("e1"))
        assert ids(await second.told(1)) == ["e1"]


def large(i: int) -> Verdict:
    """A verdict of some 20 kB."""
    return a_verdict(f"e{i}", flags=tuple(Flag("a rule of some name", 0.1, j, j + 1) for j in range(600)))


async def test_a_watcher_that_does_not_read_is_cut_off_with_its_position_and_holds_nobody_up(
    store: aioredis.Redis, redis_server: RedisServer, make_event: MakeEvent
) -> None:
    for i in range(0, 400, 50):
        await publish_verdicts(store, *(large(j) for j in range(i, i + 50)))
    async with serving_screener(redis_server.url, stall_s=0.5) as screener:
        slow, other = screener.watch(position=FROM_START), screener.watch()
        await begun(other)
        await screener.until_watched_by(2)
        bench = Bench(store)
        async with bench.running():
            await bench.admit(make_event(event_id="meanwhile"))
            assert ids(await other.told(1)) == ["meanwhile"]
        await screener.until_watched_by(1)  # it is cut off without having read a message
        messages, error = await slow.to_its_end()
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert info_of(error).reason == "WATCHER_TOO_SLOW"
        position = info_of(error).metadata["position"]
        assert position == messages[-1].position
        rest = await screener.watch(position=position).told(401 - len(ids(messages)))
        assert ids(messages) + ids(rest) == [f"e{i}" for i in range(400)] + ["meanwhile"]


@pytest.mark.parametrize("reads", [True, False], ids=["reads", "is stalled"])
async def test_at_a_drain_every_watch_ends_at_once_and_goes_on_elsewhere(
    store: aioredis.Redis, redis_server: RedisServer, reads: bool
) -> None:
    verdicts = some(10) if reads else [large(i) for i in range(300)]
    for i in range(0, len(verdicts), 50):
        await publish_verdicts(store, *verdicts[i : i + 50])
    async with serving_screener(redis_server.url, stall_s=60) as screener:
        watch = screener.watch(position=FROM_START)
        told = await watch.told(10) if reads else []
        await screener.until_watched_by(1)
        if not reads:
            await asyncio.sleep(0.5)  # until what it does not read fills the window
        screener.watches.stop()
        await screener.until_watched_by(0)
        rest, error = await watch.to_its_end()
        late, refused = await screener.watch().to_its_end()
    messages: list[Told] = [*told, *rest]
    assert error.code() is refused.code() is grpc.StatusCode.UNAVAILABLE
    assert retry_after_s(error) > 0
    assert late == []
    position = info_of(error).metadata["position"]
    assert position == messages[-1].position
    async with serving_screener(redis_server.url) as another:
        await publish_verdicts(store, a_verdict("after"))
        missing = len(verdicts) + 1 - len(ids(messages))
        after = await another.watch(position=position).told(missing)
    assert sorted(ids(messages) + ids(after)) == sorted([v.event_id for v in verdicts] + ["after"])


async def test_a_redis_that_comes_back_ends_no_watch(tmp_path: Path) -> None:
    server = RedisServer(port=Ports().take(name="Redis"), folder=tmp_path)
    server.start()
    server.wait_ready()
    try:
        async with serving_screener(server.url, fresh_s=0.1) as screener:
            client = connect(server.url, timeout_ms=2_000)
            watch = screener.watch()
            await begun(watch)
            server.stop()
            for _ in range(5):  # meanwhile it says that it is alive
                assert not (await watch.next()).HasField("verdict")
            server.start()
            server.wait_ready()
            await publish_verdicts(client, a_verdict("e1"))
            assert ids(await watch.told(1)) == ["e1"]
            await client.aclose()
    finally:
        server.stop()


async def test_a_redis_that_stays_away_ends_the_watch_with_its_position(tmp_path: Path) -> None:
    server = RedisServer(port=Ports().take(name="Redis"), folder=tmp_path)
    server.start()
    server.wait_ready()
    try:
        async with serving_screener(server.url, patience_s=0.3) as screener:
            watch = screener.watch()
            position = await begun(watch)
            server.stop()
            _, error = await watch.to_its_end()
            assert error.code() is grpc.StatusCode.UNAVAILABLE
            assert info_of(error).metadata["position"] == position
            _, error = await screener.watch().to_its_end()
            assert error.code() is grpc.StatusCode.UNAVAILABLE
            assert retry_after_s(error) > 0
    finally:
        server.stop()
