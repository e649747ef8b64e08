"""Events to load ingest with: what a platform sends of a chat message, each of them new."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from uuid import UUID

from seawall.events.v1 import events_pb2
from seawall.ingest.v1 import ingest_pb2

from benchmarks.texts import known_texts

_PLATFORMS = (events_pb2.PLATFORM_DISCORD, events_pb2.PLATFORM_SLACK, events_pb2.PLATFORM_WEB_CHAT)


def new_events(count: int) -> list[events_pb2.Event]:
    """Events with an id, a time and the author's standing; the same at every call but for the time."""
    chance = random.Random(count)  # noqa: S311  # no secret
    now_s = int(time.time())
    texts = known_texts(min(count, 20_000))
    events = []
    for number in range(count):
        event = events_pb2.Event(
            event_id=str(UUID(int=chance.getrandbits(128))),
            event_type=events_pb2.EVENT_TYPE_MESSAGE_CREATED,
            platform=_PLATFORMS[number % len(_PLATFORMS)],
            channel_id=f"channel-{number % 97}",
            author_id=f"author-{number}",
            content=texts[number % len(texts)],
        )
        event.created_at.seconds = now_s
        event.metadata.author_reputation = 0.5
        events.append(event)
    return events


def single_requests(events: Sequence[events_pb2.Event]) -> Iterator[bytes]:
    """Serialised requests of Ingest."""
    return (ingest_pb2.IngestRequest(event=event).SerializeToString() for event in events)


def batch_requests(events: Sequence[events_pb2.Event], size: int) -> Iterator[bytes]:
    """Serialised requests of IngestBatch, of `size` events each."""
    return (
        ingest_pb2.IngestBatchRequest(events=events[at : at + size]).SerializeToString()
        for at in range(0, len(events), size)
    )


def stream_requests(events: Sequence[events_pb2.Event]) -> Iterator[bytes]:
    """Serialised messages of one IngestStream, numbered from 1."""
    return (
        ingest_pb2.IngestStreamRequest(correlation_id=number, event=event).SerializeToString()
        for number, event in enumerate(events, start=1)
    )
