"""Admission against a model of its promises, over random sequences of few ids and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import redis.asyncio as aioredis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.admission import Decision
from pipeline.hand_off import HandOff
from pipeline.keys import ONLY
from tests.fixtures.redis_state import entries_of, event_ids_in, keys_like
from tests.pipeline.door import ACCEPTED, CONFLICT, NO_ROOM, candidate, door, duplicate_of

Batch = list[tuple[str, str, HandOff]]

BATCHES: st.SearchStrategy[list[Batch]] = st.lists(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.sampled_from(HandOff)), max_size=6
    ),
    max_size=6,
)
STREAM = {HandOff.STREAM: ONLY.raw, HandOff.DIRECT: ONLY.direct}


@dataclass
class Promises:
    """What admission promises, for windows that never end."""

    room: dict[HandOff, int]
    said: dict[str, str] = field(default_factory=dict)  # id -> text
    first: dict[str, str] = field(default_factory=dict)  # text -> id that came first
    queues: dict[HandOff, list[str]] = field(default_factory=lambda: {way: [] for way in HandOff})

    def admit(self, event_id: str, text: str, way: HandOff) -> Decision:
        if event_id in self.said:
            return duplicate_of(self.first[text]) if self.said[event_id] == text else CONFLICT
        if text in self.first:
            self.said[event_id] = text
            return duplicate_of(self.first[text])
        if not self.has_room(way):
            way = HandOff.STREAM
        if not self.has_room(way):
            return NO_ROOM
        self.said[event_id] = text
        self.first[text] = event_id
        self.queues[way].append(event_id)
        return ACCEPTED

    def has_room(self, way: HandOff) -> bool:
        return len(self.queues[way]) < self.room[way]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES, max_depth=st.integers(0, 4), max_direct=st.integers(0, 3))
async def test_keeps_its_promises(
    store: aioredis.Redis, batches: Sequence[Batch], max_depth: int, max_direct: int
) -> None:
    await store.flushall()
    admission = door(store, max_depth=max_depth, max_direct=max_direct)
    promises = Promises({HandOff.STREAM: max_depth, HandOff.DIRECT: max_direct})
    for batch in batches:
        report = await admission.admit([candidate(*event) for event in batch])
        decisions = [replace(d, hand_off=None, entry_id="") for d in report.decisions]
        assert decisions == [promises.admit(*event) for event in batch]
        queues = {way: await event_ids_in(store, STREAM[way]) for way in HandOff}
        assert queues == promises.queues
        assert (report.queue_depth, report.direct_depth) == tuple(len(queues[way]) for way in HandOff)
        for (event_id, _, _), decision in zip(batch, report.decisions, strict=True):
            if decision.hand_off is not None:
                entries = dict(await entries_of(store, STREAM[decision.hand_off]))
                assert entries[decision.entry_id][b"event_id"] == event_id.encode()
    remembered = await keys_like(store, "event:*")
    assert remembered == {ONLY.event(event_id) for event_id in promises.said}
