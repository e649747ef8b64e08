from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import redis.asyncio as aioredis

from ingest.event_status import EventStatuses
from pipeline.dead_letter import DeadLetter
from pipeline.dead_letters import PAGE, DeadLetters, Kept, Wanted
from pipeline.errors import StoreUnavailable
from pipeline.event import Event, Platform
from pipeline.keys import ONLY
from pipeline.record import RecordState
from pipeline.store import connect
from scripts.system.redis import RedisServer
from tests.fixtures.events import MakeEvent
from tests.fixtures.redis_state import entries_of, event_ids_in, out_of_memory, state_of
from tests.fixtures.screening import Bench
from tests.pipeline.way_out import mover, publish, record_of


async def give_up(store: aioredis.Redis, *events: Event, reason: str = "max_deliveries") -> list[str]:
    """Admits events and dead-letters them, as the worker does; their ids among the dead letters."""
    entry_ids = await Bench(store).admit(*events)
    letters = [
        DeadLetter(event.event_id, reason, 3, entry_id, "screener-1", ("ValueError",), event.encode())
        for event, entry_id in zip(events, entry_ids, strict=True)
    ]
    moved = await mover(store).move(
        [
            publish(
                letter.entry_id,
                letter.event_id,
                to=ONLY.dead_letter,
                state=RecordState.DEAD_LETTERED,
                record_life_ms=0,
                fields=letter.fields(),
            )
            for letter in letters
        ]
    )
    return [new_id for new_id in moved if new_id is not None]


def some(make_event: MakeEvent, n: int, *, tag: str = "e") -> list[Event]:
    return [make_event(event_id=f"{tag}{i}", content=f"text {tag} {i}") for i in range(n)]


async def found(letters: DeadLetters, wanted: Wanted | None = None) -> list[Kept]:
    return [kept async for page in letters.pages(wanted or Wanted()) for kept in page]


async def names(letters: DeadLetters, wanted: Wanted) -> list[str]:
    return [kept.letter.event_id for kept in await found(letters, wanted)]


async def state_after(store: aioredis.Redis, event_id: str) -> RecordState | None:
    """What GetEventStatus says."""
    return (await EventStatuses(store, ONLY).of(event_id)).state


@pytest.fixture
def letters(store: aioredis.Redis) -> DeadLetters:
    return DeadLetters(store, ONLY)


async def test_pages_are_in_order_and_bounded(letters: DeadLetters, make_event: MakeEvent) -> None:
    ids = await give_up(letters.client, *some(make_event, 250))
    pages = [page async for page in letters.pages(Wanted())]
    assert [len(page) for page in pages] == [PAGE, PAGE, 50]
    assert [kept.id for page in pages for kept in page] == ids


async def test_there_may_be_none(letters: DeadLetters) -> None:
    assert await found(letters) == []
    assert await letters.last_id() == ""


async def test_what_is_wanted_is_found(
    letters: DeadLetters, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    a, b, c = some(make_event, 3)
    first, second = await give_up(store, a, replace(b, platform=Platform.REDDIT))
    await asyncio.sleep(0.01)
    [third] = await give_up(store, c, reason="undecodable")
    kept = {k.id: k for k in await found(letters)}
    for wanted, expected in (
        (Wanted(reason="undecodable"), ["e2"]),
        (Wanted(platform="reddit"), ["e1"]),
        (Wanted(event_id="e0"), ["e0"]),
        (Wanted(entry_id=kept[second].letter.entry_id), ["e1"]),
        (Wanted(ids=[third, first, first, "1-1"]), ["e2", "e0"]),
        (Wanted(ids=[third, first], platform="reddit"), []),
        (Wanted(from_ms=kept[third].at_ms), ["e2"]),
        (Wanted(to_ms=kept[second].at_ms), ["e0", "e1"]),
        (Wanted(from_ms=kept[first].at_ms, to_ms=kept[second].at_ms, platform="discord"), ["e0"]),
        (Wanted(limit=2), ["e0", "e1"]),
        (Wanted(limit=1, platform="reddit"), ["e1"]),
        (Wanted(last_id=second), ["e0", "e1"]),
    ):
        assert await names(letters, wanted) == expected, wanted


async def test_what_is_given_up_meanwhile_is_left_for_the_next_time(
    letters: DeadLetters, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await give_up(store, *some(make_event, PAGE + 1))
    seen = []
    async for page in letters.pages(Wanted()):
        seen += page
        await give_up(store, *some(make_event, 5, tag=f"late{len(seen)}-"))
    assert len(seen) == PAGE + 1


async def test_a_replayed_event_is_queued_as_admission_queued_it(
    letters: DeadLetters, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    event = make_event()
    await give_up(store, event)
    before = await record_of(store, "event-1")
    [handled] = await letters.replay(await found(letters))
    assert handled.done
    [(_, fields)] = await entries_of(store, ONLY.raw)
    assert fields == {b"event_id": b"event-1", b"platform": b"discord", b"event": event.encode()}
    assert await store.xlen(ONLY.dead_letter) == 0
    record = await record_of(store, "event-1")
    assert (record.state, record.fingerprint) == (RecordState.QUEUED, before.fingerprint)
    assert await store.pttl(ONLY.event("event-1")) == -1
    assert await state_after(store, "event-1") is RecordState.QUEUED


async def test_a_replayed_event_gets_its_one_verdict_and_its_tries_begin_anew(
    letters: DeadLetters, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    bench = Bench(store)
    bench.model.poison = "the poison"
    await bench.admit(make_event(content="the poison"))
    async with bench.running():
        for _ in range(2):  # the fault is still there the first time
            async with asyncio.timeout(20):
                while not await store.xlen(ONLY.dead_letter):
                    await asyncio.sleep(0.02)
            page = await found(letters)
            assert [kept.letter.deliveries for kept in page] == [3]
            assert await store.hlen(ONLY.attempts) == 0
            if bench.model.poison is not None:
                await letters.replay(page)
                async with asyncio.timeout(20):
                    while [k.id for k in await found(letters)] in ([], [page[0].id]):
                        await asyncio.sleep(0.02)
                bench.model.poison = None
        await letters.replay(await found(letters))
        assert [v.event_id for v in await bench.verdicts(1)] == ["event-1"]
    assert await state_after(store, "event-1") is RecordState.SCREENED


async def test_two_operators_replay_each_event_once(
    letters: DeadLetters, store: aioredis.Redis, redis_server: RedisServer, make_event: MakeEvent
) -> None:
    await give_up(store, *some(make_event, 200))
    other = connect(redis_server.url, timeout_ms=5_000)
    page = await found(letters)
    mine, theirs = await asyncio.gather(letters.replay(page), DeadLetters(other, ONLY).replay(page))
    await other.aclose()
    assert [a.done + b.done for a, b in zip(mine, theirs, strict=True)] == [1] * 200
    assert sorted(await event_ids_in(store, ONLY.raw)) == sorted(f"e{i}" for i in range(200))


async def test_what_cannot_go_back_stays_and_says_why(
    letters: DeadLetters, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    good, broken, nameless, renamed, invalid, screened = some(make_event, 6)
    await give_up(store, good, broken, nameless, renamed, invalid, screened)
    page = await found(letters)
    changed = {
        "e1": b"\xff\xff",
        "e2": replace(nameless, event_id="").encode(),
        "e3": replace(renamed, event_id="another").encode(),
        "e4": replace(invalid, content=" ", platform=99).encode(),
    }
    page = [
        replace(k, letter=replace(k.letter, event=changed.get(k.letter.event_id, k.letter.event)))
        for k in page
    ]
    await store.set(ONLY.event("e5"), b"s" + b"f" * 16 + b"events:low_risk 5-1")
    checked = await letters.check(page)
    assert [each.why for each in checked] == [
        "",
        "its event does not decode",
        "its event has no id",
        "its event has another id than the dead letter",
        "platform has the unknown number 99, allowed: discord, slack, web_chat, telegram, twitter, reddit; "
        "content is white space alone, allowed: 1 to 10000 characters, not only white space, no NUL, "
        "no lone surrogate",
        "its event is elsewhere by now: screened",
    ]
    before = await state_of(store)
    assert await letters.check(page) == checked
    assert await state_of(store) == before  # a look changes nothing
    assert [each.done for each in await letters.replay(page)] == [True] + [False] * 5
    assert await event_ids_in(store, ONLY.raw) == ["e0"]
    assert await store.xlen(ONLY.dead_letter) == 5


async def test_a_corrected_event_goes_back_in_place_of_the_broken_one(
    letters: DeadLetters, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await store.xadd(ONLY.raw, {"event_id": "event-1", "event": b"\xff\xff"})
    bench = Bench(store)
    async with bench.running():
        async with asyncio.timeout(20):
            while not await store.xlen(ONLY.dead_letter):
                await asyncio.sleep(0.02)
        [kept] = await found(letters)
        mended = replace(kept, letter=replace(kept.letter, event=make_event().encode()))
        assert [each.done for each in await letters.replay([mended])] == [True]
        assert [v.event_id for v in await bench.verdicts(1)] == ["event-1"]


async def test_a_dropped_event_is_forgotten_and_may_come_again(
    letters: DeadLetters, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    first, second = some(make_event, 2)
    await give_up(store, first, second)
    page = await found(letters)
    assert await state_after(store, "e0") is RecordState.DEAD_LETTERED
    [handled] = await letters.drop(page[:1])
    assert handled.done
    assert await state_after(store, "e0") is None
    assert await state_after(store, "e1") is RecordState.DEAD_LETTERED
    assert [kept.letter.event_id for kept in await found(letters)] == ["e1"]
    await Bench(store).admit(first, second)  # the second is a duplicate still
    assert await event_ids_in(store, ONLY.raw) == ["e0"]


async def test_dropping_touches_nothing_that_is_anothers(
    letters: DeadLetters, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    event = make_event()
    await give_up(store, event)
    await store.xadd(ONLY.dead_letter, DeadLetter("event-1", "?", 0, "", "", (), b"").fields())  # type: ignore[arg-type]
    theirs, foreign = await found(letters)
    record = await record_of(store, "event-1")
    assert [each.done for each in await letters.drop([foreign])] == [True]
    assert await record_of(store, "event-1") == record
    await store.set(ONLY.fingerprint(record.fingerprint), "somebody-else")
    assert [each.done for each in await letters.drop([theirs])] == [True]
    assert await store.get(ONLY.fingerprint(record.fingerprint)) == b"somebody-else"
    assert await store.get(ONLY.event("event-1")) is None


async def test_dropping_twice_drops_once(
    letters: DeadLetters, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await give_up(store, make_event())
    page = await found(letters)
    assert [each.done for each in await letters.drop(page)] == [True]
    before = await state_of(store)
    assert [(each.done, each.why) for each in await letters.drop(page)] == [(False, "is not there any more")]
    assert [each.done for each in await letters.replay(page)] == [False]
    assert await state_of(store) == before


async def test_what_is_no_dead_letter_at_all_can_be_seen_and_dropped(
    letters: DeadLetters, store: aioredis.Redis
) -> None:
    await store.xadd(ONLY.dead_letter, {"what": "ever"})
    [kept] = await found(letters)
    assert (kept.event, kept.platform, kept.letter.reason) == (Event("", 0, 0, "", ""), "", "")
    assert [each.done for each in await letters.drop([kept])] == [True]


async def test_nothing_to_handle_is_nothing_done(letters: DeadLetters, store: aioredis.Redis) -> None:
    assert await letters.check([]) == await letters.replay([]) == await letters.drop([]) == []


async def test_an_outage_is_told_and_a_full_redis_is_drained(
    letters: DeadLetters, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    away = connect("redis://127.0.0.1:1/0", timeout_ms=200)
    with pytest.raises(StoreUnavailable):
        await found(DeadLetters(away, ONLY))
    await away.aclose()
    await give_up(store, *some(make_event, 2))
    first, second = await found(letters)
    async with out_of_memory(store):
        assert [each.done for each in await letters.drop([first])] == [True]
        assert [each.done for each in await letters.replay([second])] == [True]
