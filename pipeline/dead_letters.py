"""`events:dead_letter` as an operator sees it: look, put back, drop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace

import redis.asyncio as aioredis
from redis.exceptions import ResponseError

from pipeline.dead_letter import DeadLetter
from pipeline.drop import Dropper
from pipeline.errors import EntryUndecodable
from pipeline.event import Event, Platform
from pipeline.keys import Keys
from pipeline.move import Append, Move, Mover, StreamCaps
from pipeline.record import EventRecord, RecordState
from pipeline.store import Entry, store_errors
from pipeline.validation import violations_of

PAGE = 100
"""Entries of one read, one replay, one drop: at most some megabytes."""

_LABELS: Mapping[int, str] = {platform: platform.label for platform in Platform if platform}


@dataclass(frozen=True, slots=True)
class Kept:
    """A dead letter and its id in `events:dead_letter`."""

    id: str
    letter: DeadLetter

    @property
    def at_ms(self) -> int:
        """When it was given up, by Redis's clock."""
        return int(self.id.split("-")[0])

    @property
    def event(self) -> Event | None:
        """The event, if it decodes."""
        try:
            return Event.decode(self.letter.event)
        except EntryUndecodable:
            return None

    @property
    def platform(self) -> str:
        """The event's platform in small letters, empty where there is none."""
        event = self.event
        return _LABELS.get(event.platform, "") if event is not None else ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters; what is empty or None excludes none.

    Attributes:
        ids: ids in `events:dead_letter`.
        entry_id: the id that it had in `events:raw`.
        event_id: of the event.
        reason: as `DeadLetter.reason`.
        platform: as `Kept.platform`.
        from_ms: the first moment, by Redis's clock.
        to_ms: the last.
        last_id: the last id; empty for that of the moment when it is asked for them.
        limit: most of them, the oldest first.
    """

    ids: Sequence[str] = ()
    entry_id: str = ""
    event_id: str = ""
    reason: str = ""
    platform: str = ""
    from_ms: int = 0
    to_ms: int | None = None
    last_id: str = ""
    limit: int | None = None

    def includes(self, kept: Kept) -> bool:
        """Whether it is one of them, the limit apart."""
        return (
            (not self.entry_id or kept.letter.entry_id == self.entry_id)
            and (not self.event_id or kept.letter.event_id == self.event_id)
            and (not self.reason or kept.letter.reason == self.reason)
            and (not self.platform or kept.platform == self.platform)
            and self.from_ms <= kept.at_ms
            and (self.to_ms is None or kept.at_ms <= self.to_ms)
        )


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a dead letter: done, or why not."""

    kept: Kept
    done: bool
    why: str = ""


@dataclass
class DeadLetters:
    """Every call may raise StoreUnavailable."""

    client: aioredis.Redis
    keys: Keys

    def __post_init__(self) -> None:
        """Registers the scripts."""
        self._mover = Mover(self.client, self.keys, source=self.keys.dead_letter, group="", caps=StreamCaps())
        self._dropper = Dropper(self.client, self.keys)

    async def now_ms(self) -> int:
        """Redis's clock."""
        with store_errors():
            seconds, microseconds = await self.client.time()
        return int(seconds) * 1000 + int(microseconds) // 1000

    async def last_id(self) -> str:
        """The id that the stream gave last; empty where there is no stream."""
        with store_errors():
            try:
                info = await self.client.xinfo_stream(self.keys.dead_letter)
            except ResponseError as error:
                if "no such key" in str(error):
                    return ""
                raise
        last: bytes = info["last-generated-id"]
        return last.decode()

    async def queued(self) -> int:
        """Entries of `events:raw`."""
        with store_errors():
            return int(await self.client.xlen(self.keys.raw))

    async def pages(self, wanted: Wanted) -> AsyncIterator[list[Kept]]:
        """The wanted ones, oldest first, a page at a time, none of them empty.

        What comes after `last_id` is left out: a replayed event that fails again would have no end.
        """
        left = wanted.limit
        async for page in self._named(wanted.ids) if wanted.ids else self._between(wanted):
            chosen = [kept for kept in page if wanted.includes(kept)][:left]
            if chosen:
                yield chosen
            if left is not None:
                left -= len(chosen)
                if left <= 0:
                    return

    async def check(self, page: Sequence[Kept]) -> list[Handled]:
        """What `replay` would do now."""
        now_ms = await self.now_ms()
        records = await self._dropper.records([kept.letter.event_id for kept in page])
        return [
            Handled(kept, not why, why)
            for kept, record in zip(page, records, strict=True)
            for why in [self._why_not(kept, record, now_ms)]
        ]

    async def replay(self, page: Sequence[Kept]) -> list[Handled]:
        """Puts events back into the queue, each once, whoever else is at it; its record says QUEUED again.

        A dead letter may be changed before: what is put back is the event that it holds.
        """
        checked = await self.check(page)
        moves = {handled.kept.id: self._back(handled.kept) for handled in checked if handled.done}
        moved = dict(zip(moves, await self._mover.move(list(moves.values())), strict=True))
        return [
            handled
            if not handled.done or moved[handled.kept.id]
            else replace(handled, done=False, why="is not there any more")
            for handled in checked
        ]

    async def drop(self, page: Sequence[Kept]) -> list[Handled]:
        """Removes dead letters for good, and what is remembered of their events."""
        dropped = await self._dropper.drop(
            self.keys.dead_letter, [(kept.id, kept.letter.event_id) for kept in page]
        )
        return [
            Handled(kept, done, "" if done else "is not there any more")
            for kept, done in zip(page, dropped, strict=True)
        ]

    def _why_not(self, kept: Kept, record: EventRecord | None, now_ms: int) -> str:
        """Why an event cannot go back, in words without content; empty where it can."""
        event = kept.event
        if event is None:
            return "its event does not decode"
        if not event.event_id:
            return "its event has no id"
        if event.event_id != kept.letter.event_id:
            return "its event has another id than the dead letter"
        violations = violations_of(event, now_ms=now_ms)
        if violations:
            return "; ".join(f"{v.field} {v.problem}, allowed: {v.allowed}" for v in violations)
        here = RecordState.DEAD_LETTERED, self.keys.dead_letter, kept.id
        if record is not None and (record.state, record.stream, record.entry_id) != here:
            return f"its event is elsewhere by now: {record.state.name.lower()}"
        return ""

    def _back(self, kept: Kept) -> Move:
        fields: Mapping[str, bytes | str] = {
            "event_id": kept.letter.event_id,
            "platform": kept.platform,
            "event": kept.letter.event,
        }
        return Move(
            entry_id=kept.id,
            event_id=kept.letter.event_id,
            state=RecordState.QUEUED,
            record_life_ms=0,
            to=Append(self.keys.raw, fields),
        )

    async def _named(self, ids: Sequence[str]) -> AsyncIterator[list[Kept]]:
        for entry_id in dict.fromkeys(ids):
            with store_errors():
                entries: list[Entry] = await self.client.xrange(self.keys.dead_letter, entry_id, entry_id)  # type: ignore[assignment]
            yield [_kept(entry) for entry in entries]

    async def _between(self, wanted: Wanted) -> AsyncIterator[list[Kept]]:
        after, last = f"{wanted.from_ms}", wanted.last_id or await self.last_id()
        while last:
            with store_errors():
                entries: list[Entry] = await self.client.xrange(
                    self.keys.dead_letter, after, last, count=PAGE
                )  # type: ignore[assignment]
            page = [_kept(entry) for entry in entries]
            if not page or (wanted.to_ms is not None and page[0].at_ms > wanted.to_ms):
                return
            yield page
            after = f"({page[-1].id}"


def _kept(entry: Entry) -> Kept:
    entry_id, fields = entry
    return Kept(entry_id.decode(), DeadLetter.of(fields))
