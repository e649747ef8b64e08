"""`seawall dead-letters replay`: what goes back gets its verdict, and what cannot is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest
import redis.asyncio as aioredis

from pipeline.event import EventMetadata
from pipeline.keys import ONLY
from scripts.rows.events import decode_event
from scripts.show.dead_letters import event_json
from tests.fixtures.events import MakeEvent
from tests.fixtures.redis_state import event_ids_in, state_of
from tests.fixtures.screening import Bench
from tests.pipeline.test_dead_letters import give_up, some
from tests.scripts.typed import Seawall


async def test_replayed_events_get_their_verdicts(
    seawall: Seawall, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    events = some(make_event, 250)
    await give_up(store, *events)
    bench = Bench(store)
    async with bench.running():
        status, out, err = await seawall("replay", "--yes", "--max-queue", "50")
        assert (status, out, err) == (0, "", "250 replayed\n")
        verdicts = await bench.verdicts(250)
    assert sorted(v.event_id for v in verdicts) == sorted(e.event_id for e in events)
    assert await store.xlen(ONLY.dead_letter) == 0


async def test_look_fix_and_replay(
    seawall: Seawall, store: aioredis.Redis, make_event: MakeEvent, tmp_path: Path
) -> None:
    event = make_event(metadata=EventMetadata(user_reputation=0.25, attributes={"lang": "en"}))
    [entry_id] = await give_up(store, event)
    _, out, _ = await seawall("show", entry_id, "--content", "--json")
    shown = orjson.loads(out)["event"]
    assert decode_event(1, orjson.dumps(shown), {}) == event  # nothing is lost on the way
    file = tmp_path / "fixed.json"
    file.write_bytes(orjson.dumps({**shown, "content": "hello again"}))
    status, _, err = await seawall("replay", entry_id, "--fix", str(file), "--yes")
    assert (status, err) == (0, "1 replayed\n")
    bench = Bench(store)
    async with bench.running():
        await bench.verdicts(1)
    assert bench.model.asked == [["hello again"]]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", "fixed.json: not valid JSON at column 2"),
        ('["e"]', "fixed.json: is a list; allowed: a JSON object"),
        ("{}", "fixed.json: event_id is missing"),
        ('{"event_id": "event-1", "event_type": "shouting", "platform": "discord"', "not valid JSON"),
        ("SHOUTING", "fixed.json: event_type is none of the known ones; allowed: message_created"),
        ("LONG", "content has 10001 characters, allowed: 1 to 10000"),
        ("OTHER", "its event has another id than the dead letter"),
    ],
)
async def test_a_correction_that_is_wrong_is_refused_clearly(
    seawall: Seawall, store: aioredis.Redis, make_event: MakeEvent, tmp_path: Path, text: str, line: str
) -> None:
    event = make_event()
    [entry_id] = await give_up(store, event)
    shown = event_json(event)
    changes = {"SHOUTING": {"event_type": "shouting"}, "LONG": {"content": "a" * 10_001}}
    changes["OTHER"] = {"event_id": "event-2"}
    file = tmp_path / "fixed.json"
    file.write_bytes(orjson.dumps({**shown, **changes[text]}) if text in changes else text.encode())
    before = await state_of(store)
    status, out, err = await seawall("replay", entry_id, "--fix", str(file), "--yes")
    assert status == 1
    assert line in out + err
    after = await state_of(store)
    after.pop(ONLY.audit.encode(), None)  # that somebody tried is on record
    assert after == before


async def test_what_cannot_be_replayed_is_named_and_the_rest_is_replayed(
    seawall: Seawall, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await give_up(store, *some(make_event, 2))
    await store.xadd(ONLY.dead_letter, {"event_id": "broken", "reason": "undecodable", "event": b"\xff"})
    status, out, err = await seawall("replay", "--yes")
    assert status == 1
    assert out.rstrip().endswith("its event does not decode")
    assert err.splitlines() == ["2 replayed", "seawall: 1 not replayed"]
    assert await event_ids_in(store, ONLY.dead_letter) == ["broken"]


async def test_a_replay_does_not_fill_the_queue_past_its_limit(
    seawall: Seawall, store: aioredis.Redis, make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody drains the queue here."""
    monkeypatch.setattr("scripts.drive.dead_letters._PATIENCE_S", 1.0)
    await give_up(store, *some(make_event, 250))
    status, _, err = await seawall("replay", "--yes", "--max-queue", "150")
    assert status == 1
    assert "events:raw has 200 entries and does not drain: is a screener ready?" in err
    assert (await store.xlen(ONLY.raw), await store.xlen(ONLY.dead_letter)) == (200, 50)


def test_an_event_reads_back_as_it_was_shown(make_event: MakeEvent) -> None:
    for event in (
        make_event(),
        replace(make_event(), created_at_ms=None, channel_id="", user_id="u"),
        make_event(content="\u202e\n\0 “x”", metadata=EventMetadata(channel_history_count=0)),
    ):
        assert decode_event(1, orjson.dumps(event_json(event)), {}) == event
