from __future__ import annotations

import asyncio

import pytest
import redis.asyncio as aioredis

from pipeline.errors import PositionLost, StoreUnavailable
from pipeline.keys import ONLY
from pipeline.move import StreamCaps
from pipeline.position import Position, order
from pipeline.store import connect
from pipeline.verdict import Verdict
from pipeline.verdict_tail import Published, VerdictTail
from tests.fixtures.redis_state import entries_of
from tests.fixtures.verdicts import RISKY, a_verdict, publish_verdicts

START = Position("0-0", "0-0")


@pytest.fixture
def tail(store: aioredis.Redis) -> VerdictTail:
    return VerdictTail(store, ONLY)


async def read(tail: VerdictTail, position: Position, *, count: int = 100) -> list[Published]:
    return await tail.after(position, count=count, block_ms=10)


def ids(published: list[Published]) -> list[str]:
    return [entry.event_id for entry in published]


async def test_streams_that_are_not_there_end_at_their_start(tail: VerdictTail) -> None:
    assert await tail.end() == START
    assert await read(tail, START) == []


async def test_reads_both_streams_in_the_order_of_publishing(
    store: aioredis.Redis, tail: VerdictTail
) -> None:
    for i in range(6):
        await publish_verdicts(store, a_verdict(f"e{i}", **(RISKY if i % 2 else {})))
        await asyncio.sleep(0.002)  # ids of different streams tell an order only across milliseconds
    published = await read(tail, START)
    assert ids(published) == [f"e{i}" for i in range(6)]
    assert [Verdict.decode(entry.payload).event_id for entry in published] == ids(published)
    assert published[-1].position == await tail.end()


async def test_goes_on_after_any_entry_without_gap_or_doubling(
    store: aioredis.Redis, tail: VerdictTail
) -> None:
    await publish_verdicts(store, *(a_verdict(f"e{i}", **(RISKY if i % 3 else {})) for i in range(12)))
    published = await read(tail, START)
    for i, entry in enumerate(published):
        assert sorted(ids(await read(tail, entry.position))) == sorted(ids(published[i + 1 :]))


async def test_a_few_at_a_time_are_all_in_the_end(store: aioredis.Redis, tail: VerdictTail) -> None:
    await publish_verdicts(store, *(a_verdict(f"e{i}", **(RISKY if i % 3 else {})) for i in range(50)))
    position, told = START, []
    while published := await read(tail, position, count=7):
        assert len(published) <= 14
        position = published[-1].position
        told += ids(published)
    assert sorted(told) == sorted(f"e{i}" for i in range(50))


async def test_wakes_up_when_a_verdict_is_published(store: aioredis.Redis, tail: VerdictTail) -> None:
    reading = asyncio.create_task(tail.after(START, count=10, block_ms=4_000))
    await asyncio.sleep(0.05)
    await publish_verdicts(store, a_verdict("e1"))
    assert ids(await reading) == ["e1"]


async def test_nothing_is_missing_until_something_is_trimmed(
    store: aioredis.Redis, tail: VerdictTail
) -> None:
    await tail.require_whole(START)
    await publish_verdicts(store, *(a_verdict(f"e{i}") for i in range(250)))
    await tail.require_whole(START)
    before = await tail.end()
    await publish_verdicts(store, a_verdict("last"), caps=StreamCaps({ONLY.low_risk: 100}))
    with pytest.raises(PositionLost) as lost:
        await tail.require_whole(START)
    await tail.require_whole(before)
    oldest = Position.decode(lost.value.position)
    await tail.require_whole(oldest)
    assert len(await read(tail, oldest, count=500)) == await store.xlen(ONLY.low_risk) < 200


async def test_only_the_stream_that_was_trimmed_moves_the_oldest_position(
    store: aioredis.Redis, tail: VerdictTail
) -> None:
    await publish_verdicts(store, a_verdict("risky", **RISKY), *(a_verdict(f"e{i}") for i in range(250)))
    await publish_verdicts(store, a_verdict("last"), caps=StreamCaps({ONLY.low_risk: 100}))
    with pytest.raises(PositionLost) as lost:
        await tail.require_whole(START)
    oldest = Position.decode(lost.value.position)
    assert oldest.reasoning_queue == "0-0"
    [first, *_] = await entries_of(store, ONLY.low_risk)
    assert order("0-0") < order(oldest.low_risk) < order(first[0])


@pytest.mark.parametrize("position", [Position("1-0", "0-0"), Position("0-0", f"{2**63}-0")])
async def test_a_position_past_the_end_is_lost(tail: VerdictTail, position: Position) -> None:
    await tail.require_known(START)
    with pytest.raises(PositionLost) as lost:
        await tail.require_known(position)
    assert Position.decode(lost.value.position) == START


async def test_a_redis_that_is_away_is_said_to_be() -> None:
    nowhere = connect("redis://127.0.0.1:1/0", timeout_ms=200)
    tail = VerdictTail(nowhere, ONLY)
    for call in (tail.end(), read(tail, START), tail.require_whole(START), tail.require_known(START)):
        with pytest.raises(StoreUnavailable):
            await call
    await nowhere.aclose()
