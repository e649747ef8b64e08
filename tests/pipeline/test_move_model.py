"""Admission and moves: each accepted event lies in exactly one stream, whoever moves it and how often."""

from __future__ import annotations

import redis.asyncio as aioredis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.hand_off import HandOff
from pipeline.keys import GROUP, ONLY
from pipeline.record import RecordState
from tests.fixtures.redis_state import entries_of, is_in
from tests.pipeline.door import ACCEPTED, CONFLICT, candidate, decide, door, duplicate_of
from tests.pipeline.way_out import mover, pending, publish, record_of

Step = tuple[str, str, str]  # what happens, an event's id, a text (of admissions alone)

# What happens -> source, destination, state of the record afterwards.
MOVES = {
    "screen": (ONLY.raw, ONLY.low_risk, RecordState.SCREENED),
    "dead-letter": (ONLY.raw, ONLY.dead_letter, RecordState.DEAD_LETTERED),
    "replay": (ONLY.dead_letter, ONLY.raw, RecordState.QUEUED),
    "screen directly": (ONLY.direct, ONLY.low_risk, RecordState.SCREENED),
    "spill": (ONLY.direct, ONLY.raw, RecordState.QUEUED),
    "dead-letter directly": (ONLY.direct, ONLY.dead_letter, RecordState.DEAD_LETTERED),
}
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(
        st.sampled_from(["admit", "admit directly", "read", *MOVES]),
        st.sampled_from("abc"),
        st.sampled_from("xy"),
    ),
    max_size=25,
)
STREAMS = (ONLY.raw, ONLY.direct, ONLY.low_risk, ONLY.dead_letter)


class System:
    """The promises, and the real thing beside them."""

    def __init__(self, store: aioredis.Redis) -> None:
        self.store = store
        self.admission = door(store, max_direct=2)
        self.said: dict[str, str] = {}
        self.first: dict[str, str] = {}
        self.where: dict[str, str] = {}  # an accepted event -> its stream
        self.state: dict[str, RecordState] = {}
        self.held: dict[tuple[str, str], list[str]] = {}  # entries that holders know, moved or not

    async def admit(self, event_id: str, text: str, way: HandOff) -> None:
        room = await self.store.xlen(ONLY.direct) < 2
        [decision] = await decide(self.admission, candidate(event_id, text, way))
        if event_id in self.said:
            same = self.said[event_id] == text
            assert decision == (duplicate_of(self.first[text]) if same else CONFLICT)
        elif text in self.first:
            assert decision == duplicate_of(self.first[text])
            self.said[event_id] = text
        else:
            assert decision == ACCEPTED
            self.said[event_id], self.first[text] = text, event_id
            direct = way is HandOff.DIRECT and room
            self.where[event_id] = ONLY.direct if direct else ONLY.raw
            self.state[event_id] = RecordState.QUEUED

    async def read(self) -> None:
        await self.store.xreadgroup(GROUP, "consumer", {ONLY.raw: ">"})
        for stream in (ONLY.raw, ONLY.direct, ONLY.dead_letter):
            for entry_id, fields in await entries_of(self.store, stream):
                held = self.held.setdefault((stream, fields[b"event_id"].decode()), [])
                held += [] if entry_id in held else [entry_id]

    async def move(self, what: str, event_id: str) -> None:
        source, to, state = MOVES[what]
        held = self.held.get((source, event_id), [])
        present = {entry_id for entry_id, _ in await entries_of(self.store, source)}
        moves = [
            publish(
                e,
                event_id,
                to=to,
                state=state,
                record_life_ms=60_000 * (state is RecordState.SCREENED),
            )
            for e in held
        ]
        group = GROUP if source == ONLY.raw else ""
        told = await mover(self.store, source=source, group=group).move(moves)
        assert [new_id is not None for new_id in told] == [entry_id in present for entry_id in held]
        if any(told):
            self.where[event_id], self.state[event_id] = to, state

    async def check(self) -> None:
        found = [
            (fields[b"event_id"].decode(), stream)
            for stream in STREAMS
            for _, fields in await entries_of(self.store, stream)
        ]
        assert sorted(found) == sorted(self.where.items())
        for event_id, state in self.state.items():
            record = await record_of(self.store, event_id)
            assert record.state is state
            assert record.fingerprint == candidate(event_id, self.said[event_id]).fingerprint
            if state is not RecordState.QUEUED:
                assert await is_in(self.store, record.stream, record.entry_id)
        assert await pending(self.store) <= await self.store.xlen(ONLY.raw)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_each_accepted_event_is_in_exactly_one_stream(store: aioredis.Redis, steps: list[Step]) -> None:
    await store.flushall()
    await store.xgroup_create(ONLY.raw, GROUP, id="0", mkstream=True)
    system = System(store)
    for what, event_id, text in steps:
        if what.startswith("admit"):
            way = HandOff.DIRECT if what == "admit directly" else HandOff.STREAM
            await system.admit(event_id, text, way)
        elif what == "read":
            await system.read()
        else:
            await system.move(what, event_id)
    await system.check()
