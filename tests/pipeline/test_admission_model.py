"""Admission against a model of its promises, over random sequences of few ids and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import redis.asyncio as aioredis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.admission import Decision
from pipeline.keys import ONLY
from tests.fixtures.redis_state import event_ids_in, keys_like
from tests.pipeline.door import ACCEPTED, CONFLICT, NO_ROOM, candidate, decide, door, duplicate_of

Batch = list[tuple[str, str]]

BATCHES: st.SearchStrategy[list[Batch]] = st.lists(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz")), max_size=6), max_size=6
)


@dataclass
class Promises:
    """What admission promises, for windows that never end."""

    max_depth: int
    said: dict[str, str] = field(default_factory=dict)  # id -> text
    first: dict[str, str] = field(default_factory=dict)  # text -> id that came first
    queue: list[str] = field(default_factory=list)

    def admit(self, event_id: str, text: str) -> Decision:
        if event_id in self.said:
            return duplicate_of(self.first[text]) if self.said[event_id] == text else CONFLICT
        if text in self.first:
            self.said[event_id] = text
            return duplicate_of(self.first[text])
        if len(self.queue) >= self.max_depth:
            return NO_ROOM
        self.said[event_id] = text
        self.first[text] = event_id
        self.queue.append(event_id)
        return ACCEPTED


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES, max_depth=st.integers(0, 4))
async def test_keeps_its_promises(store: aioredis.Redis, batches: Sequence[Batch], max_depth: int) -> None:
    await store.flushall()
    admission, promises = door(store, max_depth=max_depth), Promises(max_depth)
    for batch in batches:
        decisions = await decide(admission, *(candidate(event_id, text) for event_id, text in batch))
        assert decisions == [promises.admit(event_id, text) for event_id, text in batch]
        queue = await event_ids_in(store, ONLY.raw)
        assert queue == promises.queue
    remembered = await keys_like(store, "event:*")
    assert remembered == {ONLY.event(event_id) for event_id in promises.said}
