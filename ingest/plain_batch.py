"""A batch of plain events, checked as columns: what `Reception` finds of each, in a third of its time.

Almost every batch is one, and so are most events that came one by one and wait together. What is said here of
all at once is that each is valid at a look, whether or not it has an id and a time; where it cannot be said,
the caller looks at each by itself.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import attrgetter, contains

from google.protobuf.timestamp_pb2 import Timestamp
from seawall.events.v1 import events_pb2
from seawall.ingest.v1 import ingest_pb2

from ingest.columns import Columns
from ingest.reception import MOST_EVENT_TYPE, MOST_NANOS_S, MOST_PLATFORM
from pipeline.admission import Candidate
from pipeline.event import PLATFORM_LABELS
from pipeline.fingerprint import Digests
from pipeline.hand_off import HandOff
from pipeline.uuid7 import RANDOM_BYTES, uuid7
from pipeline.validation import EVENT_ID_CHARACTER, MAX_AHEAD_MS, MAX_CONTENT_CHARS, MAX_COUNT, MAX_ID_CHARS

_REQUESTS = Columns(ingest_pb2.IngestBatchRequest)
_EVENTS = Columns(events_pb2.Event)
_TIMES = Columns(Timestamp)
_METADATA = Columns(events_pb2.EventMetadata)
_OF_IDS = re.compile(EVENT_ID_CHARACTER + "*").fullmatch
_EVENT_ID = attrgetter("event_id")
_ID_HEAD = events_pb2.Event(event_id=uuid7(0, bytes(RANDOM_BYTES))).SerializeToString()[:2]
"""What stands before an id of ours on the wire: its field, its length."""


def plain_candidates(
    request: ingest_pb2.IngestBatchRequest, way: HandOff, now_ms: int, digests: Digests
) -> list[Candidate] | None:
    """The candidates, as `Reception.candidate` makes them; None says nothing but that some may not be plain.

    Fields that we do not know, which may hold anything, are taken out of the request. An event without an id
    or a time gets its own at the end of its bytes; protobuf reads fields in any order.
    """
    request.DiscardUnknownFields()
    payloads = list(_REQUESTS.of((request.SerializeToString(),)).events)  # written anew: no field twice
    return _candidates(request.events, payloads, repeat(way), now_ms, digests)


def plain_singles(
    messages: Sequence[events_pb2.Event], ways: Sequence[HandOff], now_ms: int, digests: Digests
) -> list[Candidate] | None:
    """As `plain_candidates`, of messages that came one by one, each with its way."""
    for message in messages:
        message.DiscardUnknownFields()
    payloads = [message.SerializeToString() for message in messages]
    return _candidates(messages, payloads, ways, now_ms, digests)


def _candidates(
    messages: Sequence[events_pb2.Event],
    payloads: list[bytes],
    ways: Iterable[HandOff],
    now_ms: int,
    digests: Digests,
) -> list[Candidate] | None:
    events = _EVENTS.of(payloads)
    ids, platforms = list(events.event_id), list(events.platform)
    authors, contents = list(events.author_id), list(events.content)
    columns = (events.event_type, platforms, authors, contents)
    if not (
        all(len(column) == len(payloads) for column in columns)
        and _within(events.event_type, 1, MOST_EVENT_TYPE)
        and _within(platforms, 1, MOST_PLATFORM)
        and _are_names(authors, list(events.channel_id), list(events.user_id))
        and _of_length(ids, MAX_ID_CHARS)
        and _OF_IDS("".join(ids))
        and _are_texts(contents)
        and _are_times(events.created_at, now_ms)
        and _are_plain_metadata(events.metadata)
    ):
        return None
    if len(ids) < len(payloads):
        ids = _add_ids(list(map(_EVENT_ID, messages)), payloads, now_ms)
    if len(events.created_at) < len(payloads):
        _add_times(messages, payloads, now_ms)
    fingerprints = digests.fingerprints(platforms, authors, contents)
    labels = map(PLATFORM_LABELS.__getitem__, platforms)
    return list(map(Candidate, ids, fingerprints, labels, payloads, ways))


def _within(numbers: Sequence[float], least: float, most: float) -> bool:
    # The sum, because a NaN among them is neither their least nor their largest.
    return not numbers or (
        least <= min(numbers) and max(numbers) <= most and not math.isnan(math.fsum(numbers))
    )


def _of_length(texts: Sequence[str], most: int) -> bool:
    return not texts or max(map(len, texts)) <= most


def _are_names(*columns: Sequence[str]) -> bool:
    names = "".join(["".join(column) for column in columns])
    return (
        all(_of_length(column, MAX_ID_CHARS) for column in columns)
        and names.isascii()
        and names.isprintable()
        and " " not in names
    )


def _are_texts(contents: Sequence[str]) -> bool:
    return (
        _of_length(contents, MAX_CONTENT_CHARS)
        and not any(map(str.isspace, contents))
        and not any(map(contains, contents, repeat("\0")))
    )


def _are_times(times: Sequence[bytes], now_ms: int) -> bool:
    seconds = list(_TIMES.of(times).seconds)
    most = (now_ms + MAX_AHEAD_MS) // 1000 - MOST_NANOS_S
    return len(seconds) == len(times) and _within(seconds, MOST_NANOS_S + 1, most - 1)


def _are_plain_metadata(metadata: Sequence[bytes]) -> bool:
    columns = _METADATA.of(metadata)
    return (
        not columns.attributes
        and _within(list(columns.user_reputation), 0, 1)
        and _within(list(columns.author_reputation), 0, 1)
        and _within(list(columns.channel_history_count), 0, MAX_COUNT)
    )


def _add_ids(ids: list[str], payloads: list[bytes], now_ms: int) -> list[str]:
    """The ids, with a new one in the place of each empty one, which is also added to its payload."""
    empty = [number for number, event_id in enumerate(ids) if not event_id]
    chance = os.urandom(RANDOM_BYTES * len(empty))  # once: each call of it takes as long as an id
    for at, number in enumerate(empty):
        made = uuid7(now_ms, chance[RANDOM_BYTES * at : RANDOM_BYTES * (at + 1)])
        ids[number] = made
        payloads[number] += _ID_HEAD + made.encode()
    return ids


def _add_times(messages: Sequence[events_pb2.Event], payloads: list[bytes], now_ms: int) -> None:
    """Adds the time of now to the payload of each message that has none."""
    now = events_pb2.Event()
    now.created_at.FromMilliseconds(now_ms)
    added = now.SerializeToString()
    for number, message in enumerate(messages):
        if not message.HasField("created_at"):
            payloads[number] += added
