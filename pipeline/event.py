"""`Event`: one thing that somebody said, as every stage of the pipeline sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from google.protobuf.message import DecodeError
from seawall.events.v1 import events_pb2

from pipeline.errors import EntryUndecodable


class Platform(IntEnum):
    """Where an event comes from; numbers as in `seawall.events.v1.Platform`."""

    UNSPECIFIED = 0
    DISCORD = 1
    SLACK = 2
    WEB_CHAT = 3
    TELEGRAM = 4
    TWITTER = 5
    REDDIT = 6

    @property
    def label(self) -> str:
        """The lower-case name, as people, metrics and files use it."""
        return self.name.lower()


PLATFORM_LABELS = {int(platform): platform.label for platform in Platform}
"""The labels by number: to make a member of an enum and ask it takes two microseconds."""


class EventType(IntEnum):
    """What happened; numbers as in `seawall.events.v1.EventType`."""

    UNSPECIFIED = 0
    MESSAGE_CREATED = 1
    MESSAGE_EDITED = 2
    COMMENT_CREATED = 3
    POST_CREATED = 4
    REPLY_CREATED = 5
    PROFILE_UPDATED = 6

    @property
    def label(self) -> str:
        """The lower-case name."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class EventMetadata:
    """What the platform knows beside the text; None means unknown.

    Attributes:
        user_reputation: standing of the addressed user, 0..1.
        author_reputation: standing of the author, 0..1.
        channel_history_count: earlier messages of the author in the channel.
        attributes: anything else, passed through.
    """

    user_reputation: float | None = None
    author_reputation: float | None = None
    channel_history_count: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


NO_METADATA = EventMetadata()


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `platform` and `event_type` stay plain numbers until validation has seen them.

    Attributes:
        event_id: 1 to 128 of `A-Za-z0-9._:-`; empty until ingest has made one.
        created_at_ms: milliseconds since the Unix epoch; None where the client sent none.
    """

    event_id: str
    event_type: int
    platform: int
    author_id: str
    content: str
    channel_id: str = ""
    user_id: str = ""
    created_at_ms: int | None = None
    metadata: EventMetadata = NO_METADATA

    @classmethod
    def from_proto(cls, message: events_pb2.Event) -> Event:
        """Takes an event over from the wire, unchecked."""
        # By position, and without a look at metadata that is not there: this is on the way of every event.
        return cls(
            message.event_id,
            message.event_type,
            message.platform,
            message.author_id,
            message.content,
            message.channel_id,
            message.user_id,
            (
                message.created_at.seconds * 1000 + message.created_at.nanos // 1_000_000
                if message.HasField("created_at")
                else None
            ),
            _metadata_of(message.metadata) if message.HasField("metadata") else NO_METADATA,
        )

    def to_proto(self) -> events_pb2.Event:
        """The event as a message."""
        message = events_pb2.Event(
            event_id=self.event_id,
            event_type=self.event_type,  # type: ignore[arg-type]  # an int is the enum's value on the wire
            platform=self.platform,  # type: ignore[arg-type]  # likewise
            author_id=self.author_id,
            content=self.content,
            channel_id=self.channel_id,
            user_id=self.user_id,
        )
        if self.created_at_ms is not None:
            message.created_at.FromMilliseconds(self.created_at_ms)
        meta = self.metadata
        if meta is not NO_METADATA and meta != NO_METADATA:
            message.metadata.CopyFrom(
                events_pb2.EventMetadata(
                    user_reputation=meta.user_reputation,
                    author_reputation=meta.author_reputation,
                    channel_history_count=meta.channel_history_count,
                    attributes=meta.attributes,
                )
            )
        return message

    def encode(self) -> bytes:
        """The bytes that a stream entry carries: a serialised `seawall.events.v1.Event`."""
        return self.to_proto().SerializeToString()

    @classmethod
    def decode(cls, data: bytes) -> Event:
        """Reads what `encode` wrote.

        Raises:
            EntryUndecodable: the bytes are not a serialised event.
        """
        try:
            return cls.from_proto(events_pb2.Event.FromString(data))
        except DecodeError as error:
            raise EntryUndecodable("event") from error


def _metadata_of(message: events_pb2.EventMetadata) -> EventMetadata:
    return EventMetadata(
        user_reputation=message.user_reputation if message.HasField("user_reputation") else None,
        author_reputation=message.author_reputation if message.HasField("author_reputation") else None,
        channel_history_count=(
            message.channel_history_count if message.HasField("channel_history_count") else None
        ),
        attributes=dict(message.attributes),
    )
