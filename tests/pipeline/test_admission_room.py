from __future__ import annotations

import redis.asyncio as aioredis

from pipeline.admission import Admitted
from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from tests.fixtures.redis_state import entries_of, event_ids_in
from tests.pipeline.door import ACCEPTED, CONFLICT, NO_ROOM, candidate, decide, door, duplicate_of


async def test_refuses_what_is_new_when_the_queue_is_full(store: aioredis.Redis) -> None:
    admission = door(store, max_depth=1)
    await admission.admit([candidate("e1")])
    report = await admission.admit([candidate("e2", "other")])
    assert report.decisions == (NO_ROOM,)
    assert report.queue_depth == 1
    assert await store.exists(ONLY.event("e2")) == 0


async def test_answers_duplicates_and_conflicts_when_the_queue_is_full(store: aioredis.Redis) -> None:
    admission = door(store, max_depth=1)
    await admission.admit([candidate("e1")])
    assert await decide(admission, candidate("e1"), candidate("e2"), candidate("e1", "other")) == [
        duplicate_of("e1"),
        duplicate_of("e1"),
        CONFLICT,
    ]


async def test_takes_of_a_batch_as_many_as_there_is_room_for(store: aioredis.Redis) -> None:
    admission = door(store, max_depth=3)
    await admission.admit([candidate("e0", "text 0")])
    batch = [candidate(f"e{i}", f"text {i}") for i in range(5)]
    assert await decide(admission, *batch) == [duplicate_of("e0"), ACCEPTED, ACCEPTED, NO_ROOM, NO_ROOM]
    assert await store.xlen(ONLY.raw) == 3


async def test_a_duplicate_of_a_refused_event_is_refused_too(store: aioredis.Redis) -> None:
    assert await decide(door(store, max_depth=0), candidate("e1"), candidate("e2")) == [NO_ROOM, NO_ROOM]
    assert await store.dbsize() == 0


async def test_room_comes_back_as_the_queue_drains(store: aioredis.Redis) -> None:
    admission = door(store, max_depth=1)
    await admission.admit([candidate("e1")])
    [(entry_id, _)] = await entries_of(store, ONLY.raw)
    await store.xdel(ONLY.raw, entry_id)
    assert await decide(admission, candidate("e2", "other")) == [ACCEPTED]


async def test_refuses_while_the_groups_of_the_reasoning_queue_leave_too_much_unread(
    store: aioredis.Redis,
) -> None:
    for i in range(2):
        await store.xadd(ONLY.reasoning_queue, {"n": i})
    await store.xgroup_create(ONLY.reasoning_queue, "analysts", id="0")
    report = await door(store, max_unread=2).admit([candidate("e1")])
    assert (report.decisions, report.reasoning_unread) == ((NO_ROOM,), 2)
    assert await decide(door(store, max_unread=3), candidate("e1")) == [ACCEPTED]


async def test_a_reasoning_queue_without_a_group_refuses_nothing(store: aioredis.Redis) -> None:
    for i in range(5):
        await store.xadd(ONLY.reasoning_queue, {"n": i})
    report = await door(store, max_unread=1).admit([candidate("e1")])
    assert (report.decisions[0].admitted, report.reasoning_unread) == (Admitted.ACCEPTED, 0)


async def test_goes_the_direct_way_while_there_is_room(store: aioredis.Redis) -> None:
    batch = [candidate(f"e{i}", f"text {i}", HandOff.DIRECT) for i in range(4)]
    report = await door(store, max_depth=1, max_direct=2).admit(batch)
    assert [d.hand_off for d in report.decisions] == [HandOff.DIRECT, HandOff.DIRECT, HandOff.STREAM, None]
    assert (report.queue_depth, report.direct_depth) == (1, 2)
    assert await event_ids_in(store, ONLY.direct) == ["e0", "e1"]
    assert await event_ids_in(store, ONLY.raw) == ["e2"]


async def test_a_full_queue_refuses_nothing_that_goes_the_direct_way(store: aioredis.Redis) -> None:
    admission = door(store, max_depth=0, max_direct=1)
    assert await decide(admission, candidate("e1", "text", HandOff.DIRECT)) == [ACCEPTED]
    assert await decide(admission, candidate("e2", "more", HandOff.DIRECT)) == [NO_ROOM]


async def test_unread_verdicts_refuse_both_ways(store: aioredis.Redis) -> None:
    await store.xadd(ONLY.reasoning_queue, {"n": 1})
    await store.xgroup_create(ONLY.reasoning_queue, "analysts", id="0")
    admission = door(store, max_unread=1, max_direct=1)
    assert await decide(admission, candidate("e1", "text", HandOff.DIRECT)) == [NO_ROOM]


async def test_duplicates_are_known_whichever_way_the_first_went(store: aioredis.Redis) -> None:
    admission = door(store, max_direct=10)
    assert await decide(
        admission,
        candidate("e1", "text", HandOff.DIRECT),
        candidate("e2", "text"),
        candidate("e1", "other", HandOff.DIRECT),
    ) == [ACCEPTED, duplicate_of("e1"), CONFLICT]
    assert (await store.xlen(ONLY.direct), await store.xlen(ONLY.raw)) == (1, 0)
