"""Duplicates of an event that an operator dropped: nobody is told DUPLICATE of what is gone."""

from __future__ import annotations

import pytest
import redis.asyncio as aioredis

from pipeline.admission import Admission
from pipeline.drop import Dropper
from pipeline.keys import ONLY
from pipeline.record import RecordState
from tests.fixtures.redis_state import entries_of, event_ids_in
from tests.pipeline.door import ACCEPTED, CONFLICT, candidate, decide, door, duplicate_of
from tests.pipeline.way_out import mover, publish, queued


@pytest.fixture
async def dropped(store: aioredis.Redis) -> Admission:
    """The door, after "first" was dropped, whose duplicate is "second"."""
    [entry_id] = await queued(store, "first")
    admission = door(store)
    assert await decide(admission, candidate("second", "text of first")) == [duplicate_of("first")]
    given_up = publish(entry_id, "first", to=ONLY.dead_letter, state=RecordState.DEAD_LETTERED)
    await mover(store).move([given_up])
    [(letter_id, _)] = await entries_of(store, ONLY.dead_letter)
    assert await Dropper(store, ONLY).drop(ONLY.dead_letter, [(letter_id, "first")]) == [True]
    return admission


async def test_a_duplicate_of_what_was_dropped_is_new(store: aioredis.Redis, dropped: Admission) -> None:
    again = candidate("second", "text of first")
    assert await decide(dropped, again) == [ACCEPTED]
    assert await event_ids_in(store, ONLY.raw) == ["second"]
    assert await decide(dropped, again) == [duplicate_of("second")]


async def test_what_was_dropped_is_a_duplicate_of_its_duplicate_that_came_again(dropped: Admission) -> None:
    batch = [candidate(event_id, "text of first") for event_id in ("second", "first", "second")]
    assert await decide(dropped, *batch) == [ACCEPTED, duplicate_of("second"), duplicate_of("second")]


async def test_a_duplicate_is_one_again_once_the_first_is_back(dropped: Admission) -> None:
    batch = [candidate(event_id, "text of first") for event_id in ("first", "second")]
    assert await decide(dropped, *batch) == [ACCEPTED, duplicate_of("first")]


async def test_the_first_ones_id_with_other_content_has_no_duplicate(
    dropped: Admission,
) -> None:
    batch = [candidate("first", "other"), candidate("second", "text of first")]
    assert await decide(dropped, *batch) == [ACCEPTED, ACCEPTED]


async def test_the_id_of_a_duplicate_is_free_for_other_content(dropped: Admission) -> None:
    assert await decide(dropped, candidate("second", "other")) == [ACCEPTED]
    assert await decide(dropped, candidate("second", "text of first")) == [CONFLICT]


async def test_a_duplicate_of_a_duplicate_names_the_one_that_stands(store: aioredis.Redis) -> None:
    admission, text = door(store), "hello"
    fingerprint = candidate("e1", text).fingerprint
    await store.set(ONLY.event("e3"), b"=" + fingerprint + b"e2")
    await store.set(ONLY.event("e2"), b"=" + fingerprint + b"e1")
    await store.set(ONLY.event("e1"), b"q" + fingerprint)
    assert await decide(admission, candidate("e3", text)) == [duplicate_of("e1")]


async def test_records_that_lead_in_a_circle_hold_nothing_up(store: aioredis.Redis) -> None:
    fingerprint = candidate("e1").fingerprint
    await store.set(ONLY.event("e1"), b"=" + fingerprint + b"e2")
    await store.set(ONLY.event("e2"), b"=" + fingerprint + b"e1")
    assert await decide(door(store), candidate("e1"), candidate("e2")) == [ACCEPTED, duplicate_of("e1")]


async def test_the_id_of_a_duplicate_has_one_content_in_a_batch(store: aioredis.Redis) -> None:
    admission = door(store)
    await admission.admit([candidate("e1")])
    await store.delete(ONLY.event("e1"))  # its time after the verdict is over, that of the content is not
    batch = [candidate("e2"), candidate("e2", "other")]
    assert await decide(admission, *batch) == [duplicate_of("e1"), CONFLICT]
