from __future__ import annotations

import asyncio
from collections import Counter

import pytest
import redis.asyncio as aioredis

from pipeline.keys import ONLY
from pipeline.move import Append, StreamCaps
from pipeline.position import order
from pipeline.record import EventRecord, RecordState
from pipeline.store import connect
from scripts.system.redis import RedisServer
from tests.fixtures.redis_state import entries_of, event_ids_in, is_in, state_of
from tests.pipeline.door import ACCEPTED, candidate, decide, door, duplicate_of
from tests.pipeline.way_out import mover, pending, publish, queued, record_of


async def test_moves_an_entry_out_of_the_source_and_of_the_group(store: aioredis.Redis) -> None:
    [entry_id] = await queued(store, "e1")
    assert await pending(store) == 1
    [new_id] = await mover(store).move([publish(entry_id)])
    assert await store.xlen(ONLY.raw) == 0
    assert await pending(store) == 0
    [(at, fields)] = await entries_of(store, ONLY.low_risk)
    assert (at, fields) == (new_id, {b"event_id": b"e1", b"payload": b"verdict"})


async def test_a_second_holder_moves_nothing(store: aioredis.Redis) -> None:
    [entry_id] = await queued(store, "e1")
    beside = Append(ONLY.embeddings, {"vector": b"v"})
    await mover(store).move([publish(entry_id, beside=beside)])
    before = await state_of(store)
    late = publish(
        entry_id, to=ONLY.dead_letter, state=RecordState.DEAD_LETTERED, record_life_ms=0, beside=beside
    )
    assert await mover(store).move([late]) == [None]
    assert await state_of(store) == before


async def test_an_entry_twice_in_one_call_moves_once(store: aioredis.Redis) -> None:
    [entry_id] = await queued(store, "e1")
    first, second = await mover(store).move([publish(entry_id), publish(entry_id)])
    assert first is not None
    assert second is None
    assert await store.xlen(ONLY.low_risk) == 1


async def test_answers_in_the_order_of_the_moves(store: aioredis.Redis) -> None:
    first, second, third = await queued(store, "e1", "e2", "e3")
    await mover(store).move([publish(second, "e2")])
    moved = await mover(store).move(
        [publish(third, "e3"), publish(second, "e2"), publish(first, "e1", to=ONLY.reasoning_queue)]
    )
    assert [m is not None for m in moved] == [True, False, True]
    assert moved[2] == (await entries_of(store, ONLY.reasoning_queue))[0][0]


async def test_nothing_to_move_changes_nothing(store: aioredis.Redis) -> None:
    await queued(store, "e1")
    before = await state_of(store)
    assert await mover(store).move([]) == []
    assert await state_of(store) == before


@pytest.mark.parametrize(
    ("state", "stream"),
    [
        (RecordState.SCREENED, ONLY.low_risk),
        (RecordState.SCREENED, ONLY.reasoning_queue),
        (RecordState.DEAD_LETTERED, ONLY.dead_letter),
    ],
)
async def test_the_record_says_where_the_entry_went(
    store: aioredis.Redis, state: RecordState, stream: str
) -> None:
    [entry_id] = await queued(store, "e1")
    [new_id] = await mover(store).move([publish(entry_id, to=stream, state=state)])
    assert new_id is not None
    fingerprint = candidate("e1", "text of e1").fingerprint
    assert await record_of(store, "e1") == EventRecord(state, fingerprint, stream, new_id)


async def test_the_record_lives_as_long_as_the_move_says(store: aioredis.Redis) -> None:
    first, second = await queued(store, "e1", "e2")
    await mover(store).move(
        [publish(first, "e1", record_life_ms=50_000), publish(second, "e2", record_life_ms=0)]
    )
    assert 45_000 < await store.pttl(ONLY.event("e1")) <= 50_000
    assert await store.pttl(ONLY.event("e2")) == -1


async def test_an_event_without_a_record_gets_one(store: aioredis.Redis) -> None:
    [entry_id] = await queued(store, "e1")
    await store.delete(ONLY.event("e1"))
    [new_id] = await mover(store).move([publish(entry_id)])
    record = await record_of(store, "e1")
    assert (record.state, record.entry_id) == (RecordState.SCREENED, new_id)


async def test_what_goes_beside_is_appended_with_the_move(store: aioredis.Redis) -> None:
    first, second = await queued(store, "e1", "e2")
    await mover(store).move(
        [
            publish(first, "e1", beside=Append(ONLY.embeddings, {"vector": b"1", "n": 1})),
            publish(second, "e2"),
        ]
    )
    assert [fields for _, fields in await entries_of(store, ONLY.embeddings)] == [
        {b"vector": b"1", b"n": b"1"}
    ]


async def test_attempts_of_a_moved_entry_are_forgotten(store: aioredis.Redis) -> None:
    first, second = await queued(store, "e1", "e2")
    await store.hset(ONLY.attempts, mapping={first: 3, second: 1})
    await mover(store).move([publish(first, "e1")])
    assert await store.hgetall(ONLY.attempts) == {second.encode(): b"1"}


async def test_a_source_without_a_group_is_drained_as_well(store: aioredis.Redis) -> None:
    entry_id = "1-0"
    await store.xadd(ONLY.dead_letter, {"event": b"e"}, id=entry_id)
    replay = publish(entry_id, to=ONLY.raw, state=RecordState.QUEUED, record_life_ms=0)
    assert await mover(store, source=ONLY.dead_letter, group="").move([replay]) != [None]
    assert (await store.xlen(ONLY.dead_letter), await store.xlen(ONLY.raw)) == (0, 1)
    value: bytes = await store.get(ONLY.event("e1"))  # type: ignore[assignment]
    assert value == b"q" + bytes(16)  # as admission writes it: no position


async def test_a_screened_event_that_comes_again_is_still_a_duplicate(store: aioredis.Redis) -> None:
    [entry_id] = await queued(store, "e1")
    await mover(store).move([publish(entry_id)])
    again = [candidate("e1", "text of e1"), candidate("e2", "text of e1")]
    assert await decide(door(store), *again) == [duplicate_of("e1"), duplicate_of("e1")]


async def test_the_id_is_new_again_when_the_record_and_the_window_are_over(store: aioredis.Redis) -> None:
    admission = door(store, window_ms=20)
    await admission.admit([candidate("e1")])
    [(entry_id, _)] = await entries_of(store, ONLY.raw)
    await mover(store).move([publish(entry_id, record_life_ms=20)])
    await asyncio.sleep(0.06)
    assert await decide(admission, candidate("e1", "other")) == [ACCEPTED]


async def fill(store: aioredis.Redis, stream: str) -> None:
    async with store.pipeline(transaction=False) as pipe:
        for i in range(1_000):
            pipe.xadd(stream, {"n": i})
        await pipe.execute()


async def test_a_capped_stream_is_trimmed(store: aioredis.Redis) -> None:
    await fill(store, ONLY.low_risk)
    [entry_id] = await queued(store, "e1")
    [new_id] = await mover(store, caps=StreamCaps({ONLY.low_risk: 200})).move([publish(entry_id)])
    assert new_id is not None
    assert 200 <= await store.xlen(ONLY.low_risk) < 400  # Redis drops whole nodes of 100 entries
    assert await is_in(store, ONLY.low_risk, new_id)


async def test_trimming_leaves_word_of_how_far_it_went(store: aioredis.Redis) -> None:
    ids = await queued(store, *(f"e{i}" for i in range(301)))
    moves = [publish(entry_id, f"e{i}") for i, entry_id in enumerate(ids)]
    capped = mover(store, caps=StreamCaps({ONLY.low_risk: 100}))
    first, *_ = await mover(store).move(moves[:150])
    await capped.move(moves[150:200])  # nodes hold 100 entries: this drops the first one, and says so
    assert first is not None
    assert not await is_in(store, ONLY.low_risk, first)
    [oldest, *_] = await entries_of(store, ONLY.low_risk)
    said: bytes = await store.hget(ONLY.trimmed, ONLY.low_risk)  # type: ignore[assignment]
    assert order(first) < order(said.decode()) < order(oldest[0])
    assert await store.xlen(ONLY.low_risk) == 100
    await capped.move(moves[200:250])  # within the cap: nothing is dropped
    assert await store.hget(ONLY.trimmed, ONLY.low_risk) == said


async def test_a_capped_stream_with_a_group_is_not_trimmed(store: aioredis.Redis) -> None:
    await fill(store, ONLY.reasoning_queue)
    [entry_id] = await queued(store, "e1")
    await store.xgroup_create(ONLY.reasoning_queue, "analysts", id="0")
    caps = StreamCaps({ONLY.reasoning_queue: 200})
    await mover(store, caps=caps).move([publish(entry_id, to=ONLY.reasoning_queue)])
    assert await store.xlen(ONLY.reasoning_queue) == 1_001


async def test_a_stream_without_a_cap_is_not_trimmed(store: aioredis.Redis) -> None:
    await fill(store, ONLY.dead_letter)
    [entry_id] = await queued(store, "e1")
    caps = StreamCaps({ONLY.low_risk: 1})
    await mover(store, caps=caps).move([publish(entry_id, to=ONLY.dead_letter)])
    assert await store.xlen(ONLY.dead_letter) == 1_001


async def test_many_movers_move_each_entry_exactly_once(
    redis_server: RedisServer, store: aioredis.Redis
) -> None:
    ids = [f"e{i}" for i in range(200)]
    entries = dict(zip(ids, await queued(store, *ids), strict=True))
    beside = Append(ONLY.embeddings, {"vector": b"v"})

    async def move_all(number: int) -> list[str]:
        client = connect(redis_server.url, timeout_ms=10_000)
        own, moved = ids[number * 25 :] + ids[: number * 25], []
        for start in range(0, len(own), 10):
            batch = own[start : start + 10]
            moves = [publish(entries[event_id], event_id, beside=beside) for event_id in batch]
            told = await mover(client).move(moves)
            moved += [event_id for event_id, new_id in zip(batch, told, strict=True) if new_id is not None]
        await client.aclose()
        return moved

    moved = [event_id for part in await asyncio.gather(*(move_all(i) for i in range(8))) for event_id in part]
    published = await event_ids_in(store, ONLY.low_risk)
    assert Counter(moved) == Counter(published) == Counter(ids)
    assert await store.xlen(ONLY.embeddings) == len(ids)
    assert (await store.xlen(ONLY.raw), await pending(store)) == (0, 0)
