from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import pytest
import redis.asyncio as aioredis
from redis.exceptions import ResponseError

from pipeline.errors import StoreUnavailable
from pipeline.keys import GROUP, ONLY
from pipeline.move import Append
from pipeline.store import connect
from tests.fixtures.redis_state import out_of_memory, read_only, state_of
from tests.pipeline.way_out import mover, pending, publish, queued

SCRIPT = files("pipeline").joinpath("move.lua").read_text()
Args = list[str | int | float]

KEYS: list[str] = [
    *(ONLY.raw, ONLY.attempts, ONLY.trimmed, ONLY.low_risk, ONLY.embeddings),
    *("event:e1", "event:e2"),
]
HEAD: Args = [GROUP, 2, 2, 0, 0]  # group, destinations, entries, two caps
TARGETS: Args = [1, 2, "field", "value", 2, 2, "vector", "v"]


def entry(number: int) -> Args:
    """The n-th of the entries that `queue` made, with its two destinations."""
    return [f"{number}-0", "s", 1_000, *TARGETS]


def changed(at: int, value: str | float) -> Args:
    """The arguments of one entry, with one of them changed."""
    args = entry(2)
    args[at] = value
    return args


async def queue(store: aioredis.Redis) -> None:
    for number in (1, 2):
        await store.xadd(ONLY.raw, {"event_id": f"e{number}"}, id=f"{number}-0")
    await store.xgroup_create(ONLY.raw, GROUP, id="0")
    await store.xreadgroup(GROUP, "consumer", {ONLY.raw: ">"})
    await store.hset(ONLY.attempts, "1-0", "2")


async def call(store: aioredis.Redis, keys: Sequence[str], args: Args) -> object:
    return await store.eval(SCRIPT, len(keys), *keys, *args)


async def test_the_arguments_of_these_tests_are_right_but_for_one_fault(store: aioredis.Redis) -> None:
    await queue(store)
    reply = await call(store, KEYS, [*HEAD, *entry(1), *entry(2)])
    assert isinstance(reply, list)
    assert all(reply)
    assert (await store.xlen(ONLY.low_risk), await store.xlen(ONLY.embeddings)) == (2, 2)


@pytest.mark.parametrize(
    ("keys", "args"),
    [
        pytest.param(KEYS[:-1], [*HEAD, *entry(1), *entry(2)], id="a key is missing"),
        pytest.param([*KEYS, "more"], [*HEAD, *entry(1), *entry(2)], id="a key too many"),
        pytest.param(KEYS, [*HEAD, *entry(1)], id="an entry is missing"),
        pytest.param(KEYS, [*HEAD, *entry(1), *entry(2)[:-1]], id="a string is missing"),
        pytest.param(KEYS, [*HEAD, *entry(1), *entry(2), "more"], id="an argument too many"),
        pytest.param(KEYS, [GROUP, "x", *HEAD[2:], *entry(1), *entry(2)], id="no number of destinations"),
        pytest.param(KEYS, [GROUP, 2, "x", *HEAD[3:], *entry(1), *entry(2)], id="no number of entries"),
        pytest.param(KEYS, [GROUP, 2, -2, *HEAD[3:], *entry(1), *entry(2)], id="fewer than no entries"),
        pytest.param(KEYS, [*HEAD[:3], "x", 0, *entry(1), *entry(2)], id="a cap is no number"),
        pytest.param(KEYS, [*HEAD[:3], 1.5, 0, *entry(1), *entry(2)], id="a broken cap"),
        pytest.param(KEYS, [*HEAD[:3], -1, 0, *entry(1), *entry(2)], id="a cap below zero"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(0, "2")], id="half an entry id"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(0, "2-x")], id="an entry id of letters"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(0, "")], id="no entry id"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(0, "9" * 20 + "-0")], id="an entry id past 64 bits"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(0, "2-0-0")], id="an entry id of three numbers"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(0, "-0")], id="an entry id without a time"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(1, "=")], id="a state that no move leads to"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(1, "")], id="no state"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(2, "long")], id="a life that is no number"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(2, 1.5)], id="a broken life"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(2, -1)], id="a life that is over"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(2, "1e30")], id="a life without end"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(2, "00")], id="a life that SET does not take"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(3, "0.0")], id="no destination, by another name"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(3, 0)], id="no destination"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(3, 3)], id="a destination that was not named"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(3, -1)], id="a destination below zero"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(3, 1.5)], id="a broken destination"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(4, 3)], id="a field without a value"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(4, 4)], id="more strings than there are"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(4, -2)], id="fewer than no strings"),
        pytest.param(KEYS, [*HEAD, *entry(1), *changed(7, 9)], id="a second destination that was not named"),
        pytest.param(
            KEYS, [*HEAD, *entry(1), "2-0", "s", 1_000, 1, 0, 0, 0], id="a destination without fields"
        ),
        pytest.param([ONLY.raw, ONLY.attempts], [GROUP], id="no counts"),
        pytest.param([], [], id="nothing"),
    ],
)
async def test_changes_nothing_when_called_wrongly(
    store: aioredis.Redis, keys: list[str], args: Args
) -> None:
    await queue(store)
    before = await state_of(store)
    with pytest.raises(ResponseError):
        await call(store, keys, args)
    assert await state_of(store) == before


@pytest.mark.parametrize("key", [ONLY.attempts, ONLY.trimmed, ONLY.low_risk, ONLY.embeddings])
async def test_changes_nothing_when_a_key_is_something_else(store: aioredis.Redis, key: str) -> None:
    [entry_id] = await queued(store, "e1")
    await store.set(key, "text")
    before = await state_of(store)
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await mover(store).move([publish(entry_id, beside=Append(ONLY.embeddings, {"vector": b"v"}))])
    assert await state_of(store) == before


async def test_changes_nothing_when_the_source_is_something_else(store: aioredis.Redis) -> None:
    await store.set(ONLY.raw, "text")
    before = await state_of(store)
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await mover(store).move([publish("1-0")])
    assert await state_of(store) == before


async def test_draining_goes_on_when_redis_is_out_of_memory(store: aioredis.Redis) -> None:
    entries = await queued(store, "e1", "e2")
    async with out_of_memory(store):
        moved = await mover(store).move(
            [
                publish(entry_id, event_id, beside=Append(ONLY.embeddings, {"vector": b"v"}))
                for entry_id, event_id in zip(entries, ("e1", "e2"), strict=True)
            ]
        )
    assert None not in moved
    assert (await store.xlen(ONLY.raw), await pending(store)) == (0, 0)
    assert (await store.xlen(ONLY.low_risk), await store.xlen(ONLY.embeddings)) == (2, 2)


async def test_changes_nothing_when_redis_is_read_only(store: aioredis.Redis) -> None:
    [entry_id] = await queued(store, "e1")
    before = await state_of(store)
    async with read_only(store):
        with pytest.raises(StoreUnavailable):
            await mover(store).move([publish(entry_id)])
    assert await state_of(store) == before


async def test_says_when_redis_is_away() -> None:
    client = connect("redis://127.0.0.1:1/0", timeout_ms=200)
    with pytest.raises(StoreUnavailable):
        await mover(client).move([publish("1-0")])
    await client.aclose()
