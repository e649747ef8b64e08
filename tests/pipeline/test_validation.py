from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.errors import Violation
from pipeline.event import EventMetadata
from pipeline.validation import content_violation, event_id_violation, violations_of
from tests.fixtures.events import MakeEvent

NOW_MS = 1_700_000_000_000
ID = "1 to 128 of A-Z a-z 0-9 . _ : -"
NAME = "1 to 128 printable characters without spaces"
CONTENT = "1 to 10000 characters, not only white space, no NUL, no lone surrogate"
TIME = "from 1970 to 300 s ahead of the service's clock"
PLATFORMS = "discord, slack, web_chat, telegram, twitter, reddit"
TYPES = "message_created, message_edited, comment_created, post_created, reply_created, profile_updated"
PARTS = "has a space, a control character or a lone surrogate"

BAD: list[tuple[dict[str, Any], Violation]] = [
    ({"event_id": "a" * 129}, Violation("event_id", "has 129 characters", ID)),
    ({"event_id": "a b"}, Violation("event_id", "has a character that is not allowed", ID)),
    ({"event_id": "a\n"}, Violation("event_id", "has a character that is not allowed", ID)),
    ({"event_id": "é"}, Violation("event_id", "has a character that is not allowed", ID)),
    ({"event_id": "a/b"}, Violation("event_id", "has a character that is not allowed", ID)),
    ({"event_type": 0}, Violation("event_type", "is missing", TYPES)),
    ({"event_type": 7}, Violation("event_type", "has the unknown number 7", TYPES)),
    ({"event_type": -1}, Violation("event_type", "has the unknown number -1", TYPES)),
    ({"platform": 0}, Violation("platform", "is missing", PLATFORMS)),
    ({"platform": 7}, Violation("platform", "has the unknown number 7", PLATFORMS)),
    ({"author_id": ""}, Violation("author_id", "is missing", NAME)),
    ({"author_id": "a" * 129}, Violation("author_id", "has 129 characters", NAME)),
    ({"author_id": "a b"}, Violation("author_id", PARTS, NAME)),
    ({"author_id": "a\0"}, Violation("author_id", PARTS, NAME)),
    ({"author_id": "a\u00a0b"}, Violation("author_id", PARTS, NAME)),
    ({"author_id": "ä\u200b"}, Violation("author_id", PARTS, NAME)),
    ({"author_id": "\ud800"}, Violation("author_id", PARTS, NAME)),
    ({"channel_id": "a" * 129}, Violation("channel_id", "has 129 characters", f"empty, or {NAME}")),
    ({"channel_id": "a\tb"}, Violation("channel_id", PARTS, f"empty, or {NAME}")),
    ({"user_id": "a" * 129}, Violation("user_id", "has 129 characters", f"empty, or {NAME}")),
    ({"user_id": "a\x7f"}, Violation("user_id", PARTS, f"empty, or {NAME}")),
    ({"content": ""}, Violation("content", "is missing", CONTENT)),
    ({"content": " \n\u2003"}, Violation("content", "is white space alone", CONTENT)),
    ({"content": "a" * 10_001}, Violation("content", "has 10001 characters", CONTENT)),
    ({"content": "ab\0"}, Violation("content", "has a NUL character at position 2", CONTENT)),
    ({"content": "a\udc00"}, Violation("content", "has a lone surrogate at position 1", CONTENT)),
    ({"created_at_ms": -1}, Violation("created_at", "is before 1970", TIME)),
    ({"created_at_ms": NOW_MS + 301_000}, Violation("created_at", "is 301 s in the future", TIME)),
]

BAD_METADATA: list[tuple[dict[str, Any], Violation]] = [
    ({"user_reputation": math.nan}, Violation("metadata.user_reputation", "is nan", "0 to 1")),
    ({"user_reputation": math.inf}, Violation("metadata.user_reputation", "is inf", "0 to 1")),
    ({"user_reputation": -0.1}, Violation("metadata.user_reputation", "is -0.1", "0 to 1")),
    ({"author_reputation": -math.inf}, Violation("metadata.author_reputation", "is -inf", "0 to 1")),
    ({"author_reputation": 1.1}, Violation("metadata.author_reputation", "is 1.1", "0 to 1")),
    (
        {"channel_history_count": -1},
        Violation("metadata.channel_history_count", "is -1", "0 to 9007199254740992"),
    ),
    (
        {"channel_history_count": 2**53 + 1},
        Violation("metadata.channel_history_count", "is 9007199254740993", "0 to 9007199254740992"),
    ),
    (
        {"attributes": {str(i): "" for i in range(33)}},
        Violation("metadata.attributes", "has 33 entries", "at most 32"),
    ),
    (
        {"attributes": {"": "x"}},
        Violation("metadata.attributes", "has a key of a wrong length", "keys of 1 to 64 characters"),
    ),
    (
        {"attributes": {"k" * 65: "x"}},
        Violation("metadata.attributes", "has a key of a wrong length", "keys of 1 to 64 characters"),
    ),
    (
        {"attributes": {"k": "v" * 513}},
        Violation("metadata.attributes", "has a value that is too long", "values of at most 512 characters"),
    ),
    (
        {"attributes": {"k\0": "v"}},
        Violation("metadata.attributes", "has a NUL or a lone surrogate", "Unicode text"),
    ),
    (
        {"attributes": {"k": "\ud800"}},
        Violation("metadata.attributes", "has a NUL or a lone surrogate", "Unicode text"),
    ),
]

GOOD: list[dict[str, Any]] = [
    {},
    {"event_id": ""},  # ingest makes one
    {"event_id": "a"},
    {"event_id": "A-z.0_9:" + "x" * 120},
    {"author_id": "a" * 128},
    {"author_id": "Jürgen#1"},
    {"author_id": "作者"},
    {"channel_id": ""},
    {"channel_id": "c" * 128},
    {"user_id": "u" * 128},
    {"content": "x"},
    {"content": "a" * 10_000},
    {"content": "😀" * 10_000},  # one character each, whatever its bytes
    {"content": " x "},
    {"content": "line\nline\ttab"},
    {"created_at_ms": None},
    {"created_at_ms": 0},
    {"created_at_ms": NOW_MS + 300_000},
    {"metadata": EventMetadata(0.0, 1.0, 0)},
    {"metadata": EventMetadata(channel_history_count=2**53)},
    {"metadata": EventMetadata(attributes={str(i): "" for i in range(32)})},
    {"metadata": EventMetadata(attributes={"k" * 64: "v" * 512})},
    {"metadata": EventMetadata(attributes={"ключ": "значение 😀"})},
]


@pytest.mark.parametrize("changes", GOOD)
def test_accepts_what_the_contract_allows(make_event: MakeEvent, changes: dict[str, Any]) -> None:
    assert violations_of(make_event(**changes), now_ms=NOW_MS) == ()


@pytest.mark.parametrize(("changes", "violation"), BAD)
def test_names_field_problem_and_what_is_allowed(
    make_event: MakeEvent, changes: dict[str, Any], violation: Violation
) -> None:
    assert violations_of(make_event(**changes), now_ms=NOW_MS) == (violation,)


@pytest.mark.parametrize(("changes", "violation"), BAD_METADATA)
def test_names_what_is_wrong_with_metadata(
    make_event: MakeEvent, changes: dict[str, Any], violation: Violation
) -> None:
    event = make_event(metadata=EventMetadata(**changes))
    assert violations_of(event, now_ms=NOW_MS) == (violation,)


def test_the_limit_of_time_is_exact(make_event: MakeEvent) -> None:
    [violation] = violations_of(make_event(created_at_ms=NOW_MS + 300_001), now_ms=NOW_MS)
    assert violation.field == "created_at"


def test_emoji_past_the_limit_count_as_one_character_each() -> None:
    assert content_violation("😀" * 10_001) == Violation("content", "has 10001 characters", CONTENT)


def test_names_every_violation_at_once_in_the_order_of_the_fields(make_event: MakeEvent) -> None:
    event = make_event(
        event_id="?",
        event_type=0,
        platform=0,
        channel_id=" ",
        user_id=" ",
        author_id="",
        content="",
        created_at_ms=-1,
        metadata=EventMetadata(2.0, 2.0, -1, {"": "v" * 513, "k": "\0"} | {str(i): "" for i in range(31)}),
    )
    assert [violation.field for violation in violations_of(event, now_ms=NOW_MS)] == [
        "event_id",
        "event_type",
        "platform",
        "channel_id",
        "user_id",
        "author_id",
        "content",
        "created_at",
        "metadata.user_reputation",
        "metadata.author_reputation",
        "metadata.channel_history_count",
        *["metadata.attributes"] * 4,
    ]


def test_an_id_that_must_be_there_may_not_be_missing() -> None:
    assert event_id_violation("") == Violation("event_id", "is missing", ID)
    assert event_id_violation("", field="other_id") == Violation("other_id", "is missing", ID)
