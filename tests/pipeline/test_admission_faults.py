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
KEYS: list[str] = [*STREAMS, "event:e1", "fingerprint:1", "event:e2", "fingerprint:2"]
HEAD: list[str | int] = [10, 10, 10, 1_000, 1_000, "12"]
EVENTS: list[str | int] = ["e1", "1" * 16, "discord", "payload", "e2", "2" * 16, "discord", "payload"]


async def call(store: aioredis.Redis, keys: Sequence[str], args: Sequence[str | int]) -> list[Any]:
    return await store.eval(SCRIPT, len(keys), *keys, *args)  # type: ignore[no-any-return]


async def test_the_arguments_of_these_tests_are_right_but_for_one_fault(store: aioredis.Redis) -> None:
    [in_raw, in_direct, unread, *decisions] = await call(store, KEYS, [*HEAD, *EVENTS])
    [(first, _)] = await entries_of(store, ONLY.raw)
    [(second, _)] = await entries_of(store, ONLY.direct)
    assert (in_raw, in_direct, unread) == (1, 1, 0)
    assert decisions == [0, 1, first.encode(), 0, 2, second.encode()]


@pytest.mark.parametrize(
    ("keys", "args"),
    [
        pytest.param(KEYS[:-1], [*HEAD, *EVENTS], id="a key is missing"),
        pytest.param([*KEYS, "more"], [*HEAD, *EVENTS], id="a key too many"),
        pytest.param(KEYS, [*HEAD, *EVENTS[:-1]], id="an argument is missing"),
        pytest.param(KEYS, [*HEAD, *EVENTS, "more"], id="an argument too many"),
        pytest.param(KEYS, [*HEAD[:5], "121", *EVENTS], id="another number of events"),
        pytest.param(KEYS, [*HEAD[:5], "", *EVENTS], id="no number of events"),
        pytest.param(KEYS, ["deep", *HEAD[1:], *EVENTS], id="no depth"),
        pytest.param(KEYS, [10, "deep", *HEAD[2:], *EVENTS], id="no depth of the direct way"),
        pytest.param(KEYS, [10, 10, "much", *HEAD[3:], *EVENTS], id="no limit of unread entries"),
        pytest.param(KEYS, [10, 10, 10, "long", 1_000, "12", *EVENTS], id="no window"),
        pytest.param(KEYS, [10, 10, 10, 0, 1_000, "12", *EVENTS], id="a window of nothing"),
        pytest.param(KEYS, [10, 10, 10, "1.5", 1_000, "12", *EVENTS], id="a window of a broken number"),
        pytest.param(KEYS, [10, 10, 10, "1e30", 1_000, "12", *EVENTS], id="a window without end"),
        pytest.param(KEYS, [10, 10, 10, 1_000, -1, "12", *EVENTS], id="a life that is over"),
        pytest.param(KEYS, [*HEAD[:5], "10", *EVENTS], id="a stream that there is not"),
        pytest.param(KEYS, [*HEAD[:5], "13", *EVENTS], id="a stream that none goes to"),
        pytest.param(KEYS, [*HEAD[:5], "1d", *EVENTS], id="a stream that is no number"),
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
    keys = [*KEYS[:5], "event:e2", "fingerprint:1"]
    args = [10, 10, 10, 1_000, 0, "11", *EVENTS[:4], "e2", "1" * 16, "discord", "payload"]
    with pytest.raises(ResponseError):
        await call(store, keys, args)
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
