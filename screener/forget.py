"""Forgetting one author: everything that is held of him, wherever it is held.

An event that still waits for its verdict is left, and said: whoever sent it was promised one verdict, and a
verdict is where the next call finds it. So nothing accepted disappears in silence, and where nothing waits,
nothing is left of him.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import redis.asyncio as aioredis
from seawall.screening.v1 import verdict_pb2

from pipeline.audit import AuditLog
from pipeline.dead_letters import DeadLetters, Wanted
from pipeline.drop import Dropper
from pipeline.errors import EntryUndecodable, Overloaded
from pipeline.event import Event, Platform
from pipeline.fingerprint import Digests
from pipeline.keys import Keys
from pipeline.store import Entry, store_errors
from screener.cache import EmbeddingCache
from screener.heuristics import Heuristics
from screener.model import ModelVersion
from screener.similarity.seen import forgotten

_PAGE = 500
_CACHE = "emb"
_RETRY_S = 5.0


class KnowsVersion(Protocol):
    """The model, as far as forgetting asks it."""

    async def current_version(self) -> ModelVersion:
        """The version in use; raises ModelUnavailable."""


@dataclass(frozen=True, slots=True)
class Author:
    """Whom to forget: an author of one platform, or of any (`Platform.UNSPECIFIED`)."""

    author_id: str
    platform: Platform

    @property
    def platforms(self) -> Collection[int]:
        """The platforms in question."""
        return [p for p in Platform if p] if self.platform is Platform.UNSPECIFIED else [self.platform]

    def said(self, event: Event) -> bool:
        """Whether the event is his."""
        return event.author_id == self.author_id and event.platform in self.platforms


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was found: entries removed, by place; and events that wait for their verdict, which were left."""

    removed: Mapping[str, int]
    waiting: int


class Forgetting:
    """Forgets authors, one at a time; each is recorded before and after, under the digest of his name."""

    def __init__(
        self,
        client: aioredis.Redis,
        keys: Keys,
        *,
        digests: Digests,
        cache: EmbeddingCache,
        model: KnowsVersion,
        heuristics: Callable[[], Heuristics],
    ) -> None:
        """Takes where things are held, and the rules of now, which tell what the model read of a text."""
        self._client = client
        self._keys = keys
        self._digests = digests
        self._cache = cache
        self._model = model
        self._heuristics = heuristics
        self._audit = AuditLog(client, keys)
        self._dropper = Dropper(client, keys)
        self._dead_letters = DeadLetters(client, keys)
        self._busy = asyncio.Lock()

    async def forget(self, author: Author, *, who: str) -> Forgotten:
        """Removes all that is there, and tells every replica's index by `events:embeddings`.

        Args:
            author: whom to forget.
            who: on whose order, for the audit record.

        Raises:
            Overloaded: another one is being forgotten.
            ModelUnavailable: the model does not say which version's answers are to be removed.
            StoreUnavailable: Redis is away. Calling again is safe, and goes on where this ended.
        """
        if self._busy.locked():
            raise Overloaded("another author is being forgotten", retry_after_s=_RETRY_S)
        async with self._busy:
            version = await self._model.current_version()
            target = f"author {self._digests.author(author.platform, author.author_id).hex()}"
            await self._audit.record(who, "forget", target, {"stage": "begun"})
            found = await self._forget(author, version)
            details: dict[str, str | int] = {"stage": "done", **found.removed, "waiting": found.waiting}
            await self._audit.record(who, "forget", target, details)
            return found

    async def _forget(self, author: Author, version: ModelVersion) -> Forgotten:
        # What waits is counted first: what gets its verdict meanwhile was counted, or is found among them.
        waiting = await self._waiting(author)
        removed: Counter[str] = Counter()
        event_ids: set[bytes] = set()
        for stream in (self._keys.reasoning_queue, self._keys.low_risk):
            removed[stream] = 0
            async for page in self._pages(stream):
                verdicts = [(entry, v) for entry in page if (v := _verdict_of(entry, author)) is not None]
                event_ids.update(v.event_id.encode() for _, v in verdicts)
                removed[_CACHE] += await self._uncache(verdicts, version)
                entries = [(entry_id.decode(), v.event_id) for (entry_id, _), v in verdicts]
                removed[stream] += sum(await self._dropper.drop(stream, entries))
        letters = self._keys.dead_letter
        removed[letters] = 0
        async for kept in self._dead_letters.pages(Wanted()):
            his = [letter for letter in kept if letter.event is not None and author.said(letter.event)]
            event_ids.update(letter.letter.event_id.encode() for letter in his)
            removed[letters] += sum(handled.done for handled in await self._dead_letters.drop(his))
        removed[self._keys.embeddings] = await self._forget_vectors(author, event_ids)
        return Forgotten(dict(removed), waiting)

    async def _waiting(self, author: Author) -> int:
        waiting = 0
        # From direct to raw, as entries move: one that moves meanwhile is counted twice rather than never.
        for stream in (self._keys.direct, self._keys.raw):
            async for page in self._pages(stream):
                waiting += sum(_is_his(fields.get(b"event", b""), author) for _, fields in page)
        return waiting

    async def _uncache(
        self, verdicts: Sequence[tuple[Entry, verdict_pb2.Verdict]], version: ModelVersion
    ) -> int:
        texts: dict[ModelVersion, set[str]] = {}
        for (_, fields), verdict in verdicts:
            if b"event" not in fields:
                continue
            text = self._heuristics().reveal(Event.decode(fields[b"event"]).content).text
            for number in {version.number, verdict.model_version}:
                texts.setdefault(ModelVersion(number, version.precision), set()).add(text)
            await asyncio.sleep(0)  # a long text takes milliseconds, and calls wait for the event loop
        return sum([await self._cache.forget(of, sorted(said)) for of, said in texts.items()])

    async def _forget_vectors(self, author: Author, event_ids: Collection[bytes]) -> int:
        stream = self._keys.embeddings
        digests = {self._digests.author(platform, author.author_id) for platform in author.platforms}
        removed = 0
        async for page in self._pages(stream):
            his = [
                entry_id
                for entry_id, fields in page
                # By the event as well: the digest is another one where the secret was changed since.
                if fields.get(b"author") in digests or fields.get(b"event_id") in event_ids
            ]
            if his:
                with store_errors():
                    removed += await self._client.xdel(stream, *his)
        for digest in sorted(digests):
            with store_errors():
                await self._client.xadd(stream, forgotten(digest))  # type: ignore[arg-type]
        return removed

    async def _pages(self, stream: str) -> AsyncIterator[list[Entry]]:
        after = "-"
        while True:
            with store_errors():
                page: list[Entry] = await self._client.xrange(stream, after, "+", count=_PAGE)  # type: ignore[assignment]  # bytes, as `connect` asks
            if not page:
                return
            after = f"({page[-1][0].decode()}"
            yield page


def _is_his(encoded: bytes, author: Author) -> bool:
    # Protobuf writes a text as it is: where its bytes are not there, nothing needs to be parsed.
    if author.author_id.encode() not in encoded:
        return False
    try:
        return author.said(Event.decode(encoded))
    except EntryUndecodable:
        return False


def _verdict_of(entry: Entry, author: Author) -> verdict_pb2.Verdict | None:
    """The verdict of an entry, where it is of the author's; None else."""
    # No `Verdict` is made of it: of hundreds of thousands two fields are wanted.
    payload = entry[1].get(b"payload", b"")
    if author.author_id.encode() not in payload:
        return None
    verdict = verdict_pb2.Verdict.FromString(payload)
    his = verdict.author_id == author.author_id and verdict.platform in author.platforms
    return verdict if his else None
