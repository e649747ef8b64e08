"""Dead letters given up, put back and dropped in any order: the scripts against a model of their promises."""

from __future__ import annotations

import redis.asyncio as aioredis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.drop import Dropper
from pipeline.keys import GROUP, ONLY
from pipeline.record import RecordState
from tests.fixtures.redis_state import entries_of, event_ids_in
from tests.pipeline.door import ACCEPTED, candidate, decide, door, duplicate_of
from tests.pipeline.way_out import mover, publish, record_of

STEPS = st.lists(
    st.tuples(st.sampled_from(["admit", "give up", "put back", "drop", "screen"]), st.sampled_from("aAbB")),
    max_size=25,
)
RAW, DEAD, DONE = ONLY.raw, ONLY.dead_letter, ONLY.low_risk


class Model:
    """Each text is unknown or in one place, under one of its two ids: "a" and "A" say the same.

    Entries that somebody has seen may be asked for again.
    """

    def __init__(self, store: aioredis.Redis) -> None:
        self.store = store
        self.place: dict[str, str] = {}
        self.dropper = Dropper(store, ONLY)

    async def admit(self, event_id: str) -> None:
        first = self.holder(event_id)
        [decision] = await decide(door(self.store), candidate(event_id, event_id.lower()))
        assert decision == (duplicate_of(first) if first in self.place else ACCEPTED)
        self.place.setdefault(first, RAW)

    def holder(self, event_id: str) -> str:
        """The id under which its text is in a place; itself where it is in none."""
        return next((i for i in self.place if i.lower() == event_id.lower()), event_id)

    async def move(self, event_id: str, source: str, to: str, state: RecordState) -> None:
        seen = [
            i
            for i, fields in await entries_of(self.store, source)
            if fields[b"event_id"] == event_id.encode()
        ]
        moves = [publish(i, event_id, to=to, state=state, record_life_ms=0) for i in [*seen, *seen, "1-1"]]
        moved = await mover(self.store, source=source, group="").move(moves)
        assert [new_id is not None for new_id in moved] == [*[True] * len(seen), *[False] * len(seen), False]
        assert bool(seen) is (self.place.get(event_id) == source)
        if seen:
            self.place[event_id] = to

    async def drop(self, event_id: str) -> None:
        seen = [
            i for i, fields in await entries_of(self.store, DEAD) if fields[b"event_id"] == event_id.encode()
        ]
        asked = [*seen, *seen, "1-1"]
        dropped = await self.dropper.drop(DEAD, [(i, event_id) for i in asked])
        assert list(dropped) == [*[True] * len(seen), *[False] * len(seen), False]
        assert bool(seen) is (self.place.get(event_id) == DEAD)
        if seen:
            del self.place[event_id]

    async def check(self) -> None:
        found = {i: stream for stream in (RAW, DEAD, DONE) for i in await event_ids_in(self.store, stream)}
        assert found == self.place
        states = {RAW: RecordState.QUEUED, DEAD: RecordState.DEAD_LETTERED, DONE: RecordState.SCREENED}
        for event_id in "aAbB":
            known = await self.store.exists(ONLY.event(event_id))
            state = (await record_of(self.store, event_id)).state if known else None
            if event_id in self.place:
                assert state is states[self.place[event_id]]
            else:
                assert state in {None, RecordState.DUPLICATE}


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(steps=STEPS)
@example(steps=[("admit", "a"), ("admit", "A"), ("give up", "a"), ("drop", "a"), ("admit", "A")])
async def test_what_is_dropped_is_forgotten_and_nothing_else(
    store: aioredis.Redis, steps: list[tuple[str, str]]
) -> None:
    await store.flushall()
    await store.xgroup_create(RAW, GROUP, id="0", mkstream=True)
    model = Model(store)
    for what, asked_for in steps:
        event_id = model.holder(asked_for)
        match what:
            case "admit":
                await model.admit(asked_for)
            case "give up":
                await model.move(event_id, RAW, DEAD, RecordState.DEAD_LETTERED)
            case "put back":
                await model.move(event_id, DEAD, RAW, RecordState.QUEUED)
            case "screen":
                await model.move(event_id, RAW, DONE, RecordState.SCREENED)
            case _:
                await model.drop(event_id)
    await model.check()
