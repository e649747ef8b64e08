"""`seawall dead-letters` on a real Redis, as an operator types it."""

from __future__ import annotations

import orjson
import pytest
import redis.asyncio as aioredis

from pipeline.dead_letter import DeadLetter
from pipeline.event import Event
from pipeline.keys import ONLY
from scripts.drive.operator_store import operator_name
from scripts.system.redis import RedisServer
from tests.fixtures.events import MakeEvent
from tests.fixtures.redis_state import event_ids_in, state_of
from tests.pipeline.test_dead_letters import give_up, some
from tests.scripts.typed import SAID, WHO, Seawall


async def test_a_list_names_each_without_content_and_users(
    seawall: Seawall, store: aioredis.Redis, make_event: MakeEvent, marked: Event
) -> None:
    [first] = await give_up(store, marked)
    [second] = await give_up(store, make_event(event_id="e2", content="other"), reason="undecodable")
    status, out, err = await seawall("list")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == [first, second]
    for shown in ("max_deliveries", "3", "discord", "event-1", "ValueError"):
        assert shown in lines[0].split()
    status, as_json, _ = await seawall("list", "--json", "--reason", "undecodable")
    [found] = [orjson.loads(line) for line in as_json.splitlines()]
    assert found.pop("at").endswith("Z")
    assert found.pop("entry_id")
    assert found == {
        "id": second,
        "reason": "undecodable",
        "deliveries": 3,
        "event_id": "e2",
        "platform": "discord",
        "consumer": "screener-1",
        "trace": ["ValueError"],
    }
    _, everything, _ = await seawall("list", "--json")
    assert not [mark for mark in (SAID, WHO) if mark in out + everything]


async def test_show_tells_all_and_content_only_when_asked(
    seawall: Seawall, store: aioredis.Redis, marked: Event
) -> None:
    [entry_id] = await give_up(store, marked)
    for arguments in (("show", entry_id), ("show", "--event", "event-1", "--json")):
        status, out, _ = await seawall(*arguments)
        assert status == 0
        assert "message_created" in out
        assert "screener-1" in out
        assert "ValueError" in out
        assert SAID not in out
        assert WHO not in out
        _, out, _ = await seawall(*arguments, "--content")
        assert SAID in out
        assert f"user-{WHO}" in out


async def test_what_is_shown_cannot_drive_a_terminal(
    seawall: Seawall, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    nasty = "\x1b[2J\x9b31m\u202etxt\r\nevents"
    await give_up(store, make_event(content=nasty))
    letter = DeadLetter(nasty, nasty, 1, nasty, nasty, (nasty,), b"\xff")
    await store.xadd(ONLY.dead_letter, letter.fields())  # type: ignore[arg-type]
    for arguments in (("list",), ("show",), ("show", "--content"), ("drop", "--dry-run")):
        _, out, err = await seawall(*arguments)
        assert not {c for c in out + err if not c.isprintable() and c != "\n"}, arguments


async def test_ages_are_counted_back_from_redis_clock(
    seawall: Seawall, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    fields = DeadLetter("old", "max_deliveries", 3, "5-1", "", (), make_event().encode()).fields()
    seconds, _ = await store.time()
    await store.xadd(ONLY.dead_letter, fields, id=f"{(seconds - 7200) * 1000}-0")  # type: ignore[arg-type]
    await give_up(store, make_event(event_id="new"))
    for arguments, expected in (
        (("--older-than", "90m"), ["old"]),
        (("--newer-than", "90m"), ["new"]),
        (("--newer-than", "1d"), ["old", "new"]),
        (("--older-than", "1h", "--newer-than", "1d", "--limit", "5"), ["old"]),
        (("--older-than", "0s", "--limit", "1"), ["old"]),
    ):
        _, out, _ = await seawall("list", "--json", *arguments)
        assert [orjson.loads(line)["event_id"] for line in out.splitlines()] == expected, arguments


async def test_a_dry_run_changes_nothing(
    seawall: Seawall, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await give_up(store, make_event())
    before = await state_of(store)
    status, out, err = await seawall("replay", "--dry-run")
    assert (status, err) == (0, "1 would be replayed\n")
    assert out.endswith("would be replayed\n")
    status, out, err = await seawall("drop", "--dry-run")
    assert (status, err) == (0, "1 would be dropped\n")
    assert await state_of(store) == before


async def test_nobody_is_asked_without_a_terminal(
    seawall: Seawall, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await give_up(store, make_event())
    before = await state_of(store)
    for command in ("replay", "drop"):
        status, _, err = await seawall(command)
        assert (status, err.count("\n")) == (1, 1)
        assert "--yes" in err
    assert await state_of(store) == before


async def test_dropped_ones_are_gone_and_the_rest_is_not(
    seawall: Seawall, store: aioredis.Redis, make_event: MakeEvent
) -> None:
    await give_up(store, *some(make_event, 150))
    await give_up(store, *some(make_event, 3, tag="bad"), reason="undecodable")
    status, out, err = await seawall("drop", "--reason", "undecodable", "--yes", "--json")
    assert (status, err) == (0, "3 dropped\n")
    assert [orjson.loads(line)["done"] for line in out.splitlines()] == [True] * 3
    assert await event_ids_in(store, ONLY.dead_letter) == [f"e{i}" for i in range(150)]


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (("list", "x"), 1, "'x': allowed: an id as in the list"),
        (("show", "1-1"), 1, "no such dead letter"),
        (("drop", "1-1", "--yes"), 1, "no such dead letter"),
        (("list", "--event", ""), 1, "--event is empty"),
        (("list", "--platform", "irc"), 1, "--platform irc: allowed: discord, slack"),
        (("list", "--older-than", "soon"), 1, "--older-than soon: allowed: a whole number and s, m, h or d"),
        (("replay", "--fix", "x"), 1, "--fix corrects one dead letter"),
        (("replay", "1-1", "--fix", "nowhere.json"), 1, "cannot read nowhere.json"),
        (("list", "--limit", "0"), 2, "--limit"),
    ],
)
async def test_wrong_commands_are_one_line(
    seawall: Seawall, store: aioredis.Redis, arguments: tuple[str, ...], status: int, line: str
) -> None:
    told, out, err = await seawall(*arguments)
    assert (told, out, err.count("\n")) == (status, "", 1)
    assert line in err


async def test_redis_away_or_closed_is_one_line(
    seawall: Seawall, store: aioredis.Redis, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.execute_command("ACL", "SETUSER", "blind", "on", ">secret", "~*", "+ping")  # type: ignore[no-untyped-call]
    port = redis_server.port
    for url, line in (
        (
            "redis://:hidden@127.0.0.1:1/0",
            "Redis does not answer at 127.0.0.1:1: look after it, or set REDIS_URL",
        ),
        (f"redis://:hidden@127.0.0.1:{port}/0", "wants another password: set REDIS_URL"),
        (f"redis://blind:secret@127.0.0.1:{port}/0", "refuses: "),
        ("http://127.0.0.1", "REDIS_URL is not valid"),
    ):
        monkeypatch.setenv("REDIS_URL", url)
        status, out, err = await seawall("list")
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert line in err
        assert "hidden" not in err
        assert "secret" not in err
    await store.execute_command("ACL", "DELUSER", "blind")  # type: ignore[no-untyped-call]


async def test_who_replays_or_drops_is_on_record_and_what_came_of_it(
    seawall: Seawall, store: aioredis.Redis, marked: Event
) -> None:
    await give_up(store, marked)
    await store.xadd(ONLY.dead_letter, DeadLetter("broken", "undecodable", 1, "", "", (), b"\xff").fields())  # type: ignore[arg-type]
    await seawall("replay", "--dry-run")
    await seawall("replay", "--yes")
    await seawall("drop", "--yes")

    status, out, _ = await seawall("show", "--json", command="audit")
    records = [orjson.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [(record["action"], record["details"]) for record in records] == [
        ("dead_letters.replay", {"stage": "begun", "chosen": 2}),
        ("dead_letters.replay", {"stage": "done", "done": 1, "left": 1}),
        ("dead_letters.drop", {"stage": "begun", "chosen": 1}),
        ("dead_letters.drop", {"stage": "done", "done": 1, "left": 0}),
    ]
    assert {record["who"] for record in records} == {operator_name()}
    assert SAID not in out
    assert WHO not in out
