from __future__ import annotations

import asyncio

import pytest
import redis.asyncio as aioredis

from pipeline.admission import MAX_BATCH, Admitted, Decision
from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from pipeline.record import EventRecord, RecordState
from pipeline.store import connect
from scripts.system.redis import RedisServer
from tests.fixtures.redis_state import entries_of, event_ids_in
from tests.pipeline.door import ACCEPTED, CONFLICT, candidate, decide, door, duplicate_of


async def test_appends_what_is_new_and_remembers_it(store: aioredis.Redis) -> None:
    report = await door(store).admit([candidate("e1")])
    [(entry_id, fields)] = await entries_of(store, ONLY.raw)
    assert report.decisions == (Decision(Admitted.ACCEPTED, hand_off=HandOff.STREAM, entry_id=entry_id),)
    assert (report.queue_depth, report.direct_depth) == (1, 0)
    assert fields == {b"event_id": b"e1", b"platform": b"discord", b"event": b"e1:hello"}
    value: bytes = await store.get(ONLY.event("e1"))  # type: ignore[assignment]
    assert EventRecord.decode(value) == EventRecord(RecordState.QUEUED, candidate("e1").fingerprint)
    assert await store.pttl(ONLY.event("e1")) == -1  # a queued event is never forgotten


async def test_an_empty_batch_writes_nothing(store: aioredis.Redis) -> None:
    assert (await door(store).admit([])).decisions == ()
    assert await store.dbsize() == 0


async def test_same_id_and_content_is_a_duplicate_of_itself(store: aioredis.Redis) -> None:
    admission = door(store)
    await admission.admit([candidate("e1")])
    assert await decide(admission, candidate("e1")) == [duplicate_of("e1")]
    assert await store.xlen(ONLY.raw) == 1


async def test_new_id_with_known_content_is_a_duplicate_of_the_first(store: aioredis.Redis) -> None:
    admission = door(store)
    await admission.admit([candidate("e1")])
    assert await decide(admission, candidate("e2")) == [duplicate_of("e1")]
    assert await store.xlen(ONLY.raw) == 1


async def test_the_id_of_a_duplicate_is_remembered_with_the_first_one(store: aioredis.Redis) -> None:
    admission = door(store, duplicate_ms=50_000)
    await admission.admit([candidate("e1"), candidate("e2")])
    value: bytes = await store.get(ONLY.event("e2"))  # type: ignore[assignment]
    record = EventRecord.decode(value)
    assert (record.state, record.first_id) == (RecordState.DUPLICATE, "e1")
    assert 45_000 < await store.pttl(ONLY.event("e2")) <= 50_000
    assert await decide(admission, candidate("e2")) == [duplicate_of("e1")]
    assert await decide(admission, candidate("e2", "other")) == [CONFLICT]


async def test_a_duplicate_of_a_duplicate_names_the_first(store: aioredis.Redis) -> None:
    admission = door(store)
    for event_id in ("e1", "e2"):
        await admission.admit([candidate(event_id)])
    assert await decide(admission, candidate("e3")) == [duplicate_of("e1")]


async def test_same_id_with_other_content_is_a_conflict(store: aioredis.Redis) -> None:
    admission = door(store)
    await admission.admit([candidate("e1")])
    assert await decide(admission, candidate("e1", "other")) == [CONFLICT]
    assert await store.xlen(ONLY.raw) == 1
    # The refused content left no trace.
    assert await decide(admission, candidate("e2", "other")) == [ACCEPTED]


async def test_decides_within_one_batch_as_over_several(store: aioredis.Redis) -> None:
    batch = [
        candidate("e1"),
        candidate("e1"),
        candidate("e2"),
        candidate("e1", "other"),
        candidate("e2", "other"),
        candidate("e3", "other"),
    ]
    expected = [ACCEPTED, duplicate_of("e1"), duplicate_of("e1"), CONFLICT, CONFLICT, ACCEPTED]
    assert await decide(door(store), *batch) == expected
    assert await event_ids_in(store, ONLY.raw) == ["e1", "e3"]


async def test_appends_the_largest_batch_in_order(store: aioredis.Redis) -> None:
    report = await door(store).admit([candidate(f"e{i}", f"text {i}") for i in range(MAX_BATCH)])
    assert report.queue_depth == MAX_BATCH
    ids = await event_ids_in(store, ONLY.raw)
    assert ids == [f"e{i}" for i in range(MAX_BATCH)]


async def test_content_is_new_again_after_the_window(store: aioredis.Redis) -> None:
    admission = door(store, window_ms=60)
    await admission.admit([candidate("e1")])
    assert await decide(admission, candidate("e2")) == [duplicate_of("e1")]
    await asyncio.sleep(0.12)
    assert await decide(admission, candidate("e3")) == [ACCEPTED]


async def test_a_queued_id_outlives_the_window(store: aioredis.Redis) -> None:
    admission = door(store, window_ms=30)
    await admission.admit([candidate("e1")])
    await asyncio.sleep(0.08)
    assert await decide(admission, candidate("e1"), candidate("e1", "other")) == [
        duplicate_of("e1"),
        CONFLICT,
    ]


async def test_the_id_of_a_duplicate_is_forgotten_in_time(store: aioredis.Redis) -> None:
    admission = door(store, duplicate_ms=40)
    await admission.admit([candidate("e1"), candidate("e2")])
    await asyncio.sleep(0.09)
    assert await decide(admission, candidate("e2", "other")) == [ACCEPTED]


async def test_a_forgotten_id_within_its_own_window_is_no_alias_of_itself(store: aioredis.Redis) -> None:
    admission = door(store)
    await admission.admit([candidate("e1")])
    await store.delete(ONLY.event("e1"))  # its time after the verdict is over, that of the content is not
    assert await decide(admission, candidate("e1")) == [duplicate_of("e1")]
    assert await store.exists(ONLY.event("e1")) == 0


@pytest.mark.parametrize("clients", [8])
async def test_of_many_at_once_exactly_one_is_accepted_for_each_content(
    redis_server: RedisServer, store: aioredis.Redis, clients: int
) -> None:
    texts = [f"text {i}" for i in range(25)]

    async def caller(number: int) -> list[tuple[str, str, Admitted, str]]:
        client = connect(redis_server.url, timeout_ms=10_000)
        admission = door(client)
        told = []
        for turn in range(4):
            batch = [candidate(f"c{number}.{turn}.{i}", text) for i, text in enumerate(texts)]
            decisions = await decide(admission, *batch)
            told += [
                (c.event_id, text, d.admitted, d.first_id)
                for c, text, d in zip(batch, texts, decisions, strict=True)
            ]
        await client.aclose()
        return told

    answers = [a for told in await asyncio.gather(*(caller(i) for i in range(clients))) for a in told]
    first = {text: event_id for event_id, text, admitted, _ in answers if admitted is Admitted.ACCEPTED}
    assert sum(admitted is Admitted.ACCEPTED for _, _, admitted, _ in answers) == len(texts) == len(first)
    assert all(named == first[text] for _, text, admitted, named in answers if admitted is Admitted.DUPLICATE)
    assert await store.xlen(ONLY.raw) == len(texts)
