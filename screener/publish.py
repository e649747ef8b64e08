"""What a screened event, or one that was given up, leaves in which stream. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.dead_letter import DeadLetter
from pipeline.event import PLATFORM_LABELS
from pipeline.fingerprint import Digests
from pipeline.keys import Keys
from pipeline.move import Append, Move
from pipeline.record import RecordState
from pipeline.verdict import Route
from screener.core import Screened
from screener.similarity.seen import Seen
from screener.source import Entry, RawEvent


@dataclass(frozen=True, slots=True)
class Publication:
    """How to publish: key names, digests, how long a record lives on, whether low-risk content is kept."""

    keys: Keys
    digests: Digests
    record_life_ms: int
    keep_low_risk_content: bool

    def verdict(self, raw: RawEvent, screened: Screened, *, now_ms: int) -> Move:
        """The move that publishes a verdict, with the vector beside it."""
        queue_ms = max(0.0, float(now_ms - raw.entry.admitted_at_ms) - screened.verdict.timings.total_ms)
        verdict, event = screened.verdict, raw.event
        to_reasoning = verdict.route is Route.REASONING_QUEUE
        # The plain fields are for people who look with redis-cli; programs read the payload.
        fields: dict[str, bytes | str | int | float] = {
            "event_id": verdict.event_id,
            "platform": PLATFORM_LABELS[verdict.platform],
            "category": verdict.category.name,
            "risk_score": f"{verdict.risk_score:.4f}",
            "payload": verdict.encode(queue_ms=queue_ms),
        }
        if to_reasoning or self.keep_low_risk_content:
            fields["event"] = raw.entry.payload
        beside = None
        if screened.embedding is not None:
            asked = screened.utterance  # has the digests, if something was compared
            seen = Seen(
                event_id=verdict.event_id,
                category=verdict.category,
                model_version=verdict.model_version,
                author=asked.author if asked else self.digests.author(event.platform, event.author_id),
                text=asked.text if asked else self.digests.text(event.content),
                seen_at_ms=verdict.screened_at_ms,
                vector=screened.embedding,
                said=screened.said,
            )
            beside = Append(self.keys.embeddings, seen.encode())
        return Move(
            entry_id=raw.entry.entry_id,
            event_id=verdict.event_id,
            state=RecordState.SCREENED,
            record_life_ms=self.record_life_ms,
            to=Append(self.keys.reasoning_queue if to_reasoning else self.keys.low_risk, fields),
            beside=beside,
        )

    def dead_letter(
        self, entry: Entry, *, reason: str, deliveries: int, consumer: str, trace: tuple[str, ...]
    ) -> Move:
        """The move that gives an entry up; an operator finds the event beside the reason."""
        letter = DeadLetter(
            # An entry so broken that it has no event id is remembered under its own.
            event_id=entry.event_id or f"entry:{entry.entry_id}",
            reason=reason,
            deliveries=deliveries,
            entry_id=entry.entry_id,
            consumer=consumer,
            trace=trace,
            event=entry.payload,
        )
        return Move(
            entry_id=entry.entry_id,
            event_id=letter.event_id,
            state=RecordState.DEAD_LETTERED,
            record_life_ms=0,
            to=Append(self.keys.dead_letter, letter.fields()),
        )
