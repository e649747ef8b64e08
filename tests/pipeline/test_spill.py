from __future__ import annotations

import redis.asyncio as aioredis

from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from pipeline.spill import spill
from tests.fixtures.redis_state import entries_of
from tests.pipeline.door import candidate, decide, door, duplicate_of
from tests.pipeline.way_out import mover


async def test_a_spilled_event_lies_in_the_queue_as_if_it_had_been_admitted_there(
    store: aioredis.Redis,
) -> None:
    admission = door(store, max_direct=10)
    await admission.admit([candidate("e1", "text 1", HandOff.DIRECT), candidate("e2", "text 2")])
    [(entry_id, fields)] = await entries_of(store, ONLY.direct)
    [(_, like)] = await entries_of(store, ONLY.raw)
    record = await store.get(ONLY.event("e1"))
    move = spill(ONLY, entry_id=entry_id, event_id="e1", platform="discord", payload=fields[b"event"])
    direct = mover(store, source=ONLY.direct, group="")
    [new_id] = await direct.move([move])
    entries = await entries_of(store, ONLY.raw)
    assert entries[1] == (new_id, {**like, b"event_id": b"e1", b"event": b"e1:text 1"})
    assert await store.xlen(ONLY.direct) == 0
    assert await store.get(ONLY.event("e1")) == record
    assert await direct.move([move]) == [None]
    assert await decide(admission, candidate("e3", "text 1")) == [duplicate_of("e1")]
