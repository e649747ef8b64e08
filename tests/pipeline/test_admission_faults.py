from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import pytest
import redis.asyncio as aioredis
from redis.exceptions import ResponseError

from pipeline.errors import StoreUnavailable
from pipeline.keys import ONLY
from pipeline.store import connect
from tests.fixtures.redis_state import entries_of, out_of_memory, read_only, state_of
from tests.pipeline.door import ACCEPTED, candidate, decide, door, duplicate_of

SCRIPT = files("pipeline").joinpath("admit.lua").read_text()
STREAMS = [ONLY.raw, ONLY.direct, ONLY.reasoning_queue]
FINGERPRINTS = ["fingerprint:" + "1" * 16, "fingerprint:" + "2" * 16]
KEYS: list[str] = [*STREAMS, "event:e1", FINGERPRINTS[0], "event:e2", FINGERPRINTS[1]]
RIGHT: list[str | int] = [
    *(10, 10, 10, 1_000, 1_000, "12"),
    *("\1\2", len("event:"), len("fingerprint:")),
    *(2, "discord", "slack", "payload", "other"),
]


def but(at: int, value: str | int) -> list[str | int]:
    return [*RIGHT[:at], value, *RIGHT[at + 1 :]]


async def call(store: aioredis.Redis, keys: Sequence[str], args: Sequence[str | int]) -> list[Any]:
    return await store.eval(SCRIPT, len(keys), *keys, *args)  # type: ignore[no-any-return]


async def test_the_arguments_of_these_tests_are_right_but_for_one_fault(store: aioredis.Redis) -> None:
    reply = await call(store, KEYS, RIGHT)
    [(first, _)] = await entries_of(store, ONLY.raw)
    [(second, entry)] = await entries_of(store, ONLY.direct)
    assert reply == [1, 1, 0, b"\0\0", b"\1\2", [first.encode(), second.encode()]]
    assert entry == {b"event_id": b"e2", b"platform": b"slack", b"event": b"other"}


@pytest.mark.parametrize(
    ("keys", "args"),
    [
        pytest.param(KEYS[:-1], RIGHT, id="a key is missing"),
        pytest.param([*KEYS, "more"], RIGHT, id="a key too many"),
        pytest.param(KEYS, RIGHT[:-1], id="an argument is missing"),
        pytest.param(KEYS, [*RIGHT, "more"], id="an argument too many"),
        pytest.param(KEYS, but(5, "121"), id="another number of events"),
        pytest.param(KEYS, but(5, ""), id="no number of events"),
        pytest.param(KEYS, but(0, "deep"), id="no depth"),
        pytest.param(KEYS, but(1, "deep"), id="no depth of the direct way"),
        pytest.param(KEYS, but(2, "much"), id="no limit of unread entries"),
        pytest.param(KEYS, but(3, "long"), id="no window"),
        pytest.param(KEYS, but(3, 0), id="a window of nothing"),
        pytest.param(KEYS, but(3, "1.5"), id="a window of a broken number"),
        pytest.param(KEYS, but(3, "1e30"), id="a window without end"),
        pytest.param(KEYS, but(4, -1), id="a life that is over"),
        pytest.param(KEYS, but(5, "10"), id="a stream that there is not"),
        pytest.param(KEYS, but(5, "13"), id="a stream that none goes to"),
        pytest.param(KEYS, but(5, "1d"), id="a stream that is no number"),
        pytest.param(KEYS, but(6, "\1"), id="an event without a platform"),
        pytest.param(KEYS, but(6, "\1\3"), id="a platform without a label"),
        pytest.param(KEYS, but(6, "\0\1"), id="a platform that none has"),
        pytest.param(KEYS, but(7, "long"), id="no length of what stands before an id"),
        pytest.param(KEYS, but(8, ""), id="no length of what stands before a fingerprint"),
        pytest.param(KEYS, but(9, 1), id="another number of labels"),
        pytest.param(KEYS, but(9, "two"), id="no number of labels"),
        pytest.param([], [], id="nothing"),
    ],
)
async def test_writes_nothing_when_called_wrongly(
    store: aioredis.Redis, keys: list[str], args: list[str | int]
) -> None:
    await store.xadd(ONLY.raw, {"event_id": "earlier"})
    before = await state_of(store)
    with pytest.raises(ResponseError):
        await call(store, keys, args)
    assert await state_of(store) == before


async def test_a_wrong_life_of_duplicates_is_told_before_the_first_write(store: aioredis.Redis) -> None:
    keys = [*KEYS[:5], "event:e2", FINGERPRINTS[0]]
    with pytest.raises(ResponseError):
        await call(store, keys, but(4, 0))
    assert await store.dbsize() == 0


@pytest.mark.parametrize("stream", STREAMS)
async def test_writes_nothing_when_a_stream_is_something_else(store: aioredis.Redis, stream: str) -> None:
    await store.set(stream, "text")
    before = await state_of(store)
    with pytest.raises(ResponseError, match="is no stream"):
        await door(store).admit([candidate("e1")])
    assert await state_of(store) == before


async def test_writes_nothing_when_redis_is_out_of_memory(store: aioredis.Redis) -> None:
    admission = door(store)
    await admission.admit([candidate("e1")])
    before = await state_of(store)
    async with out_of_memory(store):
        with pytest.raises(StoreUnavailable):
            await admission.admit([candidate("e2", "new"), candidate("e3"), candidate("e4", "newer")])
        assert await state_of(store) == before
    assert await decide(admission, candidate("e2", "new")) == [ACCEPTED]


async def test_writes_nothing_for_duplicates_alone_when_redis_is_out_of_memory(store: aioredis.Redis) -> None:
    admission = door(store)
    await admission.admit([candidate("e1")])
    before = await state_of(store)
    async with out_of_memory(store):
        # Nothing to write for the same event; a new id would have to be remembered.
        assert await decide(admission, candidate("e1")) == [duplicate_of("e1")]
        with pytest.raises(StoreUnavailable):
            await admission.admit([candidate("e2")])
    assert await state_of(store) == before


async def test_writes_nothing_when_redis_is_read_only(store: aioredis.Redis) -> None:
    async with read_only(store):
        with pytest.raises(StoreUnavailable):
            await door(store).admit([candidate("e1")])
    assert await store.dbsize() == 0


async def test_says_when_redis_is_away() -> None:
    client = connect("redis://127.0.0.1:1/0", timeout_ms=200)
    with pytest.raises(StoreUnavailable):
        await door(client).admit([candidate("e1")])
    await client.aclose()


async def test_goes_on_when_redis_has_forgotten_the_script(store: aioredis.Redis) -> None:
    admission = door(store)
    await admission.admit([candidate("e1")])
    await store.script_flush()
    assert await decide(admission, candidate("e2", "other")) == [ACCEPTED]
