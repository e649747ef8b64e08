from __future__ import annotations

import time
from collections import Counter
from typing import Any

import orjson

from pipeline.event import Event, EventType, Platform
from pipeline.validation import violations_of
from pipeline.verdict import HARMFUL, Category
from scripts.commands.run import SAMPLES
from scripts.rows.events import EventRow, read_events

LINES: list[dict[str, Any]] = [orjson.loads(line) for line in SAMPLES.read_bytes().splitlines()]
ROWS = list(read_events(str(SAMPLES), {}))
EVENTS: list[Event] = [row.event for row in ROWS if isinstance(row, EventRow)]


def test_every_line_is_a_valid_event_with_an_id_of_its_own() -> None:
    assert len(EVENTS) == len(LINES) >= 140
    now_ms = time.time_ns() // 1_000_000
    assert all(violations_of(event, now_ms=now_ms) == () for event in EVENTS)
    assert len({event.event_id for event in EVENTS}) == len(EVENTS)


def test_every_platform_event_type_and_category_is_there() -> None:
    platforms = Counter(event.platform for event in EVENTS)
    assert all(platforms[platform] >= 15 for platform in Platform if platform)
    types = Counter(event.event_type for event in EVENTS)
    assert all(types[event_type] >= 1 for event_type in EventType if event_type)
    categories = Counter(name for line in LINES for name in line["expect"])
    assert all(categories[category.name] >= 7 for category in HARMFUL)
    assert sum(line.get("look_alike", False) for line in LINES) >= 30


def test_what_is_expected_is_said_plainly() -> None:
    for line in LINES:
        expected = {Category[name] for name in line["expect"]}
        assert expected == {Category.LOW_RISK} or expected <= set(HARMFUL)
        assert not (line.get("look_alike") and expected != {Category.LOW_RISK})


def test_the_duplicates_are_marked() -> None:
    seen = set()
    for event, line in zip(EVENTS, LINES, strict=True):
        mark = (event.platform, event.author_id, event.content)
        assert (mark in seen) == line.get("duplicate", False)
        seen.add(mark)
    assert len(seen) < len(EVENTS)
