"""`Verdict`: what Seawall thinks of an event, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from seawall.screening.v1 import verdict_pb2

from pipeline.errors import EntryUndecodable


class Category(IntEnum):
    """The classes of the classification; numbers as in `seawall.screening.v1.Category`."""

    UNSPECIFIED = 0
    LOW_RISK = 1
    SPAM = 2
    TOXIC = 3
    TARGETED_HARASSMENT = 4
    HATE_SPEECH = 5
    VIOLENCE = 6
    SEXUAL = 7


CATEGORY_OF: dict[int, Category] = {category.value: category for category in Category}
"""By number: a look-up, where to ask the class takes several times as long."""

HARMFUL: tuple[Category, ...] = (
    Category.SPAM,
    Category.TOXIC,
    Category.TARGETED_HARASSMENT,
    Category.HATE_SPEECH,
    Category.VIOLENCE,
    Category.SEXUAL,
)
"""The harmful categories, in the order of the model's `category_probs`."""


class Route(IntEnum):
    """Where a verdict goes; numbers as in `seawall.screening.v1.Route`."""

    UNSPECIFIED = 0
    LOW_RISK = 1
    REASONING_QUEUE = 2


class Flag(NamedTuple):
    """A heuristic rule that matched.

    Attributes:
        rule: the rule's name.
        weight: what it added to the heuristic score, 0..1.
        start: first character of the match in the original content (code points).
        end: one past the last; equal to `start` where the rule matched no text.
        category: the category it speaks for, or UNSPECIFIED.
    """

    rule: str
    weight: float
    start: int
    end: int
    category: Category = Category.UNSPECIFIED


class SimilarEvent(NamedTuple):
    """An earlier event whose content means nearly the same; `cosine` in -1..1."""

    event_id: str
    cosine: float
    category: Category


@dataclass(frozen=True, slots=True)
class Campaign:
    """Many events by different authors that say nearly the same; counts include the event at hand.

    Attributes:
        campaign_id: its name, the same for all its events: the id of one of the first.
        size: events so far.
        authors: different authors so far, as far as they are told apart.
        first_event_id: the first event.
        began_at_ms: when that was screened, ms since the epoch.
    """

    campaign_id: str
    size: int
    authors: int
    first_event_id: str
    began_at_ms: int


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time went, in milliseconds."""

    queue_ms: float = 0.0
    cache_ms: float = 0.0
    model_ms: float = 0.0
    similarity_ms: float = 0.0
    heuristics_ms: float = 0.0
    total_ms: float = 0.0


class Verdict(NamedTuple):
    """The one verdict of an event; fields as in `seawall.screening.v1.Verdict`.

    A tuple, as all values are that every event needs: a frozen dataclass of as many fields takes four times
    as long to make, 8 µs.

    `scores` holds one value in 0..1 for each of `HARMFUL`, in that order. Probabilities, scores and weights
    are in 0..1.
    """

    event_id: str
    platform: int
    channel_id: str
    author_id: str
    risk_score: float
    labels: tuple[Category, ...]
    category: Category
    confidence: float
    scores: tuple[float, ...]
    heuristic_score: float
    model_score: float
    flags: tuple[Flag, ...]
    similar_events: tuple[SimilarEvent, ...]
    campaign: Campaign | None
    route: Route
    model_name: str
    model_version: int
    cache_hit: bool
    degraded: bool
    screened_at_ms: int
    timings: Timings

    def to_proto(self) -> verdict_pb2.Verdict:
        """The verdict as a message."""
        message = verdict_pb2.Verdict(
            event_id=self.event_id,
            platform=self.platform,  # type: ignore[arg-type]  # an int is the enum's value on the wire
            channel_id=self.channel_id,
            author_id=self.author_id,
            risk_score=self.risk_score,
            labels=self.labels,  # type: ignore[arg-type]
            category=self.category,  # type: ignore[arg-type]
            confidence=self.confidence,
            heuristic_score=self.heuristic_score,
            model_score=self.model_score,
            route=self.route,  # type: ignore[arg-type]
            model_name=self.model_name,
            model_version=self.model_version,
            cache_hit=self.cache_hit,
            degraded=self.degraded,
        )
        # Field by field where messages are inside: half the time of building each and having it copied.
        scores, timings = message.scores, message.timings
        (
            scores.spam,
            scores.toxic,
            scores.targeted_harassment,
            scores.hate_speech,
            scores.violence,
            scores.sexual,
        ) = self.scores
        for f in self.flags:
            message.flags.add(rule=f.rule, weight=f.weight, start=f.start, end=f.end, category=f.category)
        for similar in self.similar_events:
            message.similar_events.add(
                event_id=similar.event_id,
                cosine=similar.cosine,
                category=similar.category,
            )
        timings.queue_ms = self.timings.queue_ms
        timings.cache_ms = self.timings.cache_ms
        timings.model_ms = self.timings.model_ms
        timings.similarity_ms = self.timings.similarity_ms
        timings.heuristics_ms = self.timings.heuristics_ms
        timings.total_ms = self.timings.total_ms
        _set_ms(message.screened_at, self.screened_at_ms)
        if self.campaign is not None:
            message.campaign.campaign_id = self.campaign.campaign_id
            message.campaign.size = self.campaign.size
            message.campaign.authors = self.campaign.authors
            message.campaign.first_event_id = self.campaign.first_event_id
            _set_ms(message.campaign.began_at, self.campaign.began_at_ms)
        return message

    @classmethod
    def from_proto(cls, message: verdict_pb2.Verdict) -> Verdict:
        """Takes a verdict over from the wire."""
        timings = message.timings
        return cls(
            event_id=message.event_id,
            platform=message.platform,
            channel_id=message.channel_id,
            author_id=message.author_id,
            risk_score=message.risk_score,
            labels=tuple(Category(label) for label in message.labels),
            category=Category(message.category),
            confidence=message.confidence,
            scores=tuple(getattr(message.scores, category.name.lower()) for category in HARMFUL),
            heuristic_score=message.heuristic_score,
            model_score=message.model_score,
            flags=tuple(Flag(f.rule, f.weight, f.start, f.end, Category(f.category)) for f in message.flags),
            similar_events=tuple(
                SimilarEvent(s.event_id, s.cosine, Category(s.category)) for s in message.similar_events
            ),
            campaign=(_campaign_from_proto(message.campaign) if message.HasField("campaign") else None),
            route=Route(message.route),
            model_name=message.model_name,
            model_version=message.model_version,
            cache_hit=message.cache_hit,
            degraded=message.degraded,
            screened_at_ms=message.screened_at.ToMilliseconds(),
            timings=Timings(
                timings.queue_ms,
                timings.cache_ms,
                timings.model_ms,
                timings.similarity_ms,
                timings.heuristics_ms,
                timings.total_ms,
            ),
        )

    def encode(self, *, queue_ms: float | None = None) -> bytes:
        """The bytes that a stream entry carries: a serialised `seawall.screening.v1.Verdict`.

        `queue_ms`, where given, stands in place of the one in `timings`: it is known last.
        """
        message = self.to_proto()
        if queue_ms is not None:
            message.timings.queue_ms = queue_ms
        return message.SerializeToString()

    @classmethod
    def decode(cls, data: bytes) -> Verdict:
        """Reads what `encode` wrote.

        Raises:
            EntryUndecodable: the bytes are not a serialised verdict.
        """
        try:
            return cls.from_proto(verdict_pb2.Verdict.FromString(data))
        except (DecodeError, ValueError) as error:  # ValueError: an enum value of a later release
            raise EntryUndecodable("verdict") from error


def _set_ms(time: Timestamp, ms: int) -> None:
    # What `FromMilliseconds` does, without its checks: that takes a sixth of the whole message's time.
    seconds, rest = divmod(ms, 1_000)
    time.seconds, time.nanos = seconds, rest * 1_000_000


def _campaign_from_proto(message: verdict_pb2.Campaign) -> Campaign:
    return Campaign(
        campaign_id=message.campaign_id,
        size=message.size,
        authors=message.authors,
        first_event_id=message.first_event_id,
        began_at_ms=message.began_at.ToMilliseconds(),
    )


def similar_to_proto(similar: SimilarEvent) -> verdict_pb2.SimilarEvent:
    """A similar event as a message."""
    return verdict_pb2.SimilarEvent(
        event_id=similar.event_id,
        cosine=similar.cosine,
        category=similar.category,  # type: ignore[arg-type]
    )
