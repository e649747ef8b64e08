from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from pipeline.event import EventMetadata, EventType, Platform
from pipeline.validation import violations_of
from scripts.errors import BadRow, CommandFailed
from scripts.rows.events import EventRow, decode_event, parse_mapping, read_events

FULL = {
    "event_id": "e-1",
    "event_type": "reply_created",
    "platform": "reddit",
    "channel_id": "c",
    "user_id": "u",
    "author_id": "a",
    "content": "hello",
    "created_at": "2025-01-31T12:00:00Z",
    "metadata": {
        "user_reputation": 0.25,
        "author_reputation": 1,
        "channel_history_count": 7,
        "attributes": {"k": "v"},
    },
    "expect": ["LOW_RISK"],
}


def test_every_field() -> None:
    event = decode_event(1, orjson.dumps(FULL), {})
    assert (event.event_id, event.event_type, event.platform) == (
        "e-1",
        EventType.REPLY_CREATED,
        Platform.REDDIT,
    )
    assert (event.channel_id, event.user_id, event.author_id, event.content) == ("c", "u", "a", "hello")
    assert event.created_at_ms == 1_738_324_800_000
    assert event.metadata == EventMetadata(0.25, 1.0, 7, {"k": "v"})


def test_what_is_left_out_has_defaults_that_stay_the_same() -> None:
    event = decode_event(3, b'{"content":"hello"}', {})
    assert event == decode_event(3, b'{"content":"hello"}', {})
    assert (event.platform, event.event_type) == (Platform.WEB_CHAT, EventType.MESSAGE_CREATED)
    assert violations_of(event, now_ms=0) == ()
    assert event.author_id != decode_event(4, b'{"content":"hello"}', {}).author_id
    assert event.event_id != decode_event(3, b'{"content":"hi"}', {}).event_id


def test_the_author_comes_from_the_id_where_there_is_one() -> None:
    one, other = (decode_event(n, b'{"event_id":"x","content":"hello"}', {}) for n in (1, 2))
    assert one.author_id == other.author_id


def test_a_mapping() -> None:
    mapping = parse_mapping(["content=text", "event_id=id", "author_id=user.name"])
    event = decode_event(1, b'{"id":17,"text":"hello","user":{"name":"ann"}}', mapping)
    assert (event.event_id, event.content, event.author_id) == ("17", "hello", "ann")


@pytest.mark.parametrize("pair", ["content", "content=", "=text", "karma=k"])
def test_a_wrong_mapping(pair: str) -> None:
    with pytest.raises(CommandFailed, match="allowed: FIELD=NAME"):
        parse_mapping([pair])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "not valid JSON at column 2"),
        (b"[1]", "is a list; allowed: a JSON object"),
        (b"\xff", "not valid JSON"),
        (b"{}", "content is missing"),
        (b'{"content":5}', "content is a number; allowed: a text"),
        (b'{"content":"a","platform":"irc"}', "platform is none of the known ones; allowed: discord, slack"),
        (b'{"content":"a","author_id":[1]}', "author_id is a list"),
        (b'{"content":"a","created_at":"yesterday"}', "created_at is no time"),
        (b'{"content":"a","metadata":{"author_reputation":"good"}}', "metadata.author_reputation is a text"),
        (b'{"content":"a","metadata":{"channel_history_count":1.5}}', "is a number; allowed: a whole"),
        (b'{"content":"a","metadata":{"attributes":{"k":1}}}', "metadata.attributes is something else"),
    ],
)
def test_a_bad_row_says_where_and_what(line: bytes, problem: str) -> None:
    with pytest.raises(BadRow) as bad:
        decode_event(9, line, {})
    assert str(bad.value).startswith("line 9: ")
    assert problem in str(bad.value)


def test_a_bad_row_does_not_end_the_file(tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_text('{"content":"a"}\nbroken\n\n{"content":"b"}\n')
    rows = list(read_events(str(file), {}))
    assert [(row.line, isinstance(row, EventRow)) for row in rows] == [(1, True), (2, False), (4, True)]
    assert len(list(read_events(str(file), {}, limit=2))) == 2
