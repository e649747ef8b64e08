"""A snapshot of the indexes as bytes: what a restart reads in place of the whole of `events:embeddings`.

    "SEAWALL1" | format | block | block | ... | SHA-256 of all before

The format is 4 bytes, a block its length in 8 bytes and then its bytes; integers are little-endian. The first
block is the head, a JSON object: the position in the stream, the model, and for each version the numbers of
segments and families. Then, for each version:

- for each segment its rows (JSON), its vectors (float16 [rows, 384], as in the stream, so nothing is lost),
  and the lists of the first of them (FAISS's own format; empty where there are none);
- the families, some thousands to a block (JSON).

It holds what the stream holds: vectors, event ids and digests of authors and texts, and no content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from pipeline.verdict import Category
from screener.model import EMBEDDING_WIDTH
from screener.similarity.family import FamilyState, Member
from screener.similarity.index import IndexState
from screener.similarity.lists import Lists
from screener.similarity.segment import Row, SegmentState

FORMAT = 2
"""Goes up with every change of the layout; another one is not read."""

_MAGIC = b"SEAWALL1"
_MODEL = {"name": "e5-small-v2", "width": EMBEDDING_WIDTH}
_DIGEST_BYTES = 32
_FAMILIES_OF_A_BLOCK = 5_000
"""A block is made in one step, in which no other thread of Python runs."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The indexes after an entry of the stream.

    Attributes:
        position: id of the last entry that they hold.
        indexes: by model version, the one that has waited longest for news first.
    """

    position: bytes
    indexes: Sequence[tuple[int, IndexState]]


class SnapshotUnreadable(Exception):
    """The bytes are no snapshot for this release. `reason`: `damaged`, `other_format` or `other_model`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def encode(snapshot: Snapshot) -> Iterator[bytes]:
    """The bytes of a snapshot, part by part, a segment's vectors at most."""
    digest = hashlib.sha256()
    for part in _parts(snapshot):
        digest.update(part)
        yield part
    yield digest.digest()


def decode(data: memoryview) -> Snapshot:
    """Reads what `encode` wrote.

    Raises:
        SnapshotUnreadable: it was written by another release or for another model, or is damaged.
    """
    start = len(_MAGIC) + 4
    if len(data) < start + _DIGEST_BYTES or bytes(data[: len(_MAGIC)]) != _MAGIC:
        raise SnapshotUnreadable("damaged")
    if int.from_bytes(data[len(_MAGIC) : start], "little") != FORMAT:
        raise SnapshotUnreadable("other_format")
    if hashlib.sha256(data[:-_DIGEST_BYTES]).digest() != bytes(data[-_DIGEST_BYTES:]):
        raise SnapshotUnreadable("damaged")
    try:
        return _snapshot(_blocks(data[start:-_DIGEST_BYTES]))
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        raise SnapshotUnreadable("damaged") from error


def _parts(snapshot: Snapshot) -> Iterator[bytes]:
    yield _MAGIC + FORMAT.to_bytes(4, "little")
    head = {
        "position": snapshot.position.decode(),
        "model": _MODEL,
        "versions": [
            {"version": version, "segments": len(state.segments), "families": len(state.families)}
            for version, state in snapshot.indexes
        ],
    }
    yield from _block(orjson.dumps(head))
    for _, state in snapshot.indexes:
        for segment in state.segments:
            yield from _block(orjson.dumps([_row_json(row, state.family_of) for row in segment.rows]))
            yield from _block(segment.vectors().astype("<f2").tobytes())
            yield from _block(segment.lists.encode())
        for at in range(0, len(state.families), _FAMILIES_OF_A_BLOCK):
            families = state.families[at : at + _FAMILIES_OF_A_BLOCK]
            yield from _block(orjson.dumps([_family_json(family) for family in families]))


def _block(data: bytes) -> Iterator[bytes]:
    yield len(data).to_bytes(8, "little")
    yield data


def _blocks(data: memoryview) -> Iterator[memoryview]:
    at = 0
    while at < len(data):
        begins = at + 8
        at = begins + int.from_bytes(data[at:begins], "little")
        yield data[begins:at]


def _snapshot(blocks: Iterator[memoryview]) -> Snapshot:
    head = orjson.loads(next(blocks))
    if head["model"] != _MODEL:
        raise SnapshotUnreadable("other_model")
    return Snapshot(
        position=head["position"].encode(),
        indexes=[(version["version"], _index(version, blocks)) for version in head["versions"]],
    )


def _index(head: dict[str, int], blocks: Iterator[memoryview]) -> IndexState:
    family_of: dict[bytes, str] = {}
    segments = tuple(_segment(blocks, family_of) for _ in range(head["segments"]))
    families: list[FamilyState] = []
    while len(families) < head["families"]:
        families += [_family(fields) for fields in orjson.loads(next(blocks))]
    return IndexState(segments, family_of, tuple(families))


def _segment(blocks: Iterator[memoryview], family_of: dict[bytes, str]) -> SegmentState:
    rows = [_row(fields, family_of) for fields in orjson.loads(next(blocks))]
    vectors = np.frombuffer(next(blocks), "<f2").astype(np.float32).reshape(-1, EMBEDDING_WIDTH)
    lists = Lists.decode(next(blocks), vectors)
    return SegmentState(tuple(rows), lists, vectors[len(lists) :])


def _row_json(row: Row | None, family_of: dict[bytes, str]) -> list[Any] | None:
    if row is None:
        return None
    return [
        row.event_id,
        int(row.category),
        row.text.hex(),
        row.author.hex(),
        row.seen_at_ms,
        row.informative,
        family_of[row.text],
    ]


def _row(fields: list[Any] | None, family_of: dict[bytes, str]) -> Row | None:
    if fields is None:
        return None
    event_id, category, text, author, seen_at_ms, informative, family = fields
    row = Row(
        event_id, Category(category), bytes.fromhex(text), bytes.fromhex(author), seen_at_ms, informative
    )
    family_of[row.text] = family
    return row


def _family_json(family: FamilyState) -> list[Any]:
    return [
        family.name,
        family.first_event_id,
        family.began_ms,
        family.events,
        family.last_ms,
        [[member.at_ms, member.author.hex(), member.text.hex(), member.pushes] for member in family.recent],
        family.campaign,
        family.names,
        [author.hex() for author in family.earlier_authors],
        family.uncounted,
    ]


def _family(fields: list[Any]) -> FamilyState:
    name, first_event_id, began_ms, events, last_ms, recent, campaign, names, earlier, uncounted = fields
    return FamilyState(
        name=name,
        first_event_id=first_event_id,
        began_ms=began_ms,
        events=events,
        last_ms=last_ms,
        recent=tuple(
            Member(at_ms, bytes.fromhex(author), bytes.fromhex(text), pushes)
            for at_ms, author, text, pushes in recent
        ),
        campaign=campaign,
        names=tuple(names),
        earlier_authors=frozenset(bytes.fromhex(author) for author in earlier),
        uncounted=uncounted,
    )
