"""What is read is trimmed, in any order with reading: nothing goes that some group still owes an answer."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import redis.asyncio as aioredis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.keys import ONLY
from pipeline.position import order
from tests.fixtures.redis_state import entries_of

GROUPS = ("one", "two")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "group", "read", "acknowledge", "trim"]),
        st.sampled_from(GROUPS),
        st.integers(1, 4),
    ),
    max_size=30,
)
STREAM = ONLY.reasoning_queue


class Readers:
    """Groups, and for each the entries that it has not acknowledged."""

    def __init__(self, store: aioredis.Redis) -> None:
        self.store = store
        self.trim = store.register_script(files("screener").joinpath("trim_read.lua").read_text())
        self.owed: dict[str, set[str]] = {}
        self.read: dict[str, list[str]] = {}

    async def add(self, count: int) -> None:
        for _ in range(count):
            entry_id: bytes = await self.store.xadd(STREAM, {"event_id": "e"})  # type: ignore[assignment]
            for owed in self.owed.values():
                owed.add(entry_id.decode())

    async def group(self, name: str) -> None:
        if name not in self.owed:
            await self.store.xgroup_create(STREAM, name, id="0", mkstream=True)
            self.owed[name] = {entry_id for entry_id, _ in await entries_of(self.store, STREAM)}
            self.read[name] = []

    async def take(self, name: str, count: int) -> None:
        if name in self.owed:
            read: Any = await self.store.xreadgroup(name, "somebody", {STREAM: ">"}, count=count)
            for _, entries in read or ():
                self.read[name] += [entry_id.decode() for entry_id, _ in entries]

    async def acknowledge(self, name: str, count: int) -> None:
        for entry_id in self.read.get(name, [])[-count:]:  # the newest first: holes are what is hard
            await self.store.xack(STREAM, name, entry_id)
            self.owed[name].discard(entry_id)
            self.read[name].remove(entry_id)

    async def cut(self) -> None:
        before = [entry_id for entry_id, _ in await entries_of(self.store, STREAM)]
        groups, trimmed = await self.trim(keys=[STREAM, ONLY.trimmed], args=[0])
        after = [entry_id for entry_id, _ in await entries_of(self.store, STREAM)]
        assert groups == len(self.owed)
        assert before[trimmed:] == after
        gone = before[:trimmed]
        assert not any(owed.intersection(gone) for owed in self.owed.values())
        if gone:
            noted: bytes = await self.store.hget(ONLY.trimmed, STREAM)  # type: ignore[assignment]
            assert order(noted.decode()) >= order(gone[-1])
            assert not after or order(noted.decode()) < order(after[0])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(steps=STEPS)
async def test_nothing_is_trimmed_that_a_group_still_owes(
    store: aioredis.Redis, steps: list[tuple[str, str, int]]
) -> None:
    await store.flushall()
    readers = Readers(store)
    for what, name, count in steps:
        match what:
            case "add":
                await readers.add(count)
            case "group":
                await readers.group(name)
            case "read":
                await readers.take(name, count)
            case "acknowledge":
                await readers.acknowledge(name, count)
            case _:
                await readers.cut()
    await readers.cut()
