"""What a worker asks the host's index process, and the answers, as bytes: JSON, and vectors behind it.

Both ends are of one release and one host, so a message has no version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from pipeline.verdict import CATEGORY_OF, Campaign, SimilarEvent
from screener.model import EMBEDDING_WIDTH
from screener.similarity.neighbourhood import Neighbourhood, Utterance
from screener.similarity.seen import Said

_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Question:
    """The arguments of `Comparison.compare`."""

    vectors: NDArray[np.float32]
    rows: Sequence[int]
    utterances: Sequence[Utterance]
    version: int

    def encode(self) -> bytes:
        """As it travels."""
        told = [
            (row, u.author.hex(), u.text.hex(), u.informative, u.solicits, u.at_ms)
            for row, u in zip(self.rows, self.utterances, strict=True)
        ]
        return _with_vectors({"version": self.version, "utterances": told}, self.vectors)

    @classmethod
    def decode(cls, data: bytes) -> Question:
        """Reads what `encode` wrote."""
        head, vectors = _apart(data)
        utterances = [
            Utterance(bytes.fromhex(author), bytes.fromhex(text), informative, solicits, at_ms)
            for _, author, text, informative, solicits, at_ms in head["utterances"]
        ]
        return cls(vectors, [told[0] for told in head["utterances"]], utterances, head["version"])


@dataclass(frozen=True, slots=True)
class NearestQuestion:
    """The arguments of `Comparison.nearest`."""

    vectors: NDArray[np.float32]
    version: int
    k: int
    min_cosine: float

    def encode(self) -> bytes:
        """As it travels."""
        head = {"version": self.version, "k": self.k, "min_cosine": self.min_cosine}
        return _with_vectors(head, self.vectors)

    @classmethod
    def decode(cls, data: bytes) -> NearestQuestion:
        """Reads what `encode` wrote."""
        head, vectors = _apart(data)
        return cls(vectors, **head)


def encode_neighbourhoods(found: Sequence[Neighbourhood]) -> bytes:
    """The answer to a `Question`."""
    return orjson.dumps([(_rows(n.similar), n.near_duplicates, n.campaign, n.said) for n in found])


def decode_neighbourhoods(data: bytes) -> list[Neighbourhood]:
    """Reads what `encode_neighbourhoods` wrote."""
    return [
        Neighbourhood(
            tuple(_similar(similar)),
            near_duplicates,
            Campaign(**campaign) if campaign else None,
            Said.of(said),
        )
        for similar, near_duplicates, campaign, said in orjson.loads(data)
    ]


def encode_nearest(found: Sequence[Sequence[SimilarEvent]]) -> bytes:
    """The answer to a `NearestQuestion`."""
    return orjson.dumps([_rows(near) for near in found])


def decode_nearest(data: bytes) -> list[list[SimilarEvent]]:
    """Reads what `encode_nearest` wrote."""
    return [_similar(near) for near in orjson.loads(data)]


# Rows rather than objects with names: five for each event make half of an answer.
def _rows(similar: Sequence[SimilarEvent]) -> list[tuple[str, float, int]]:
    return [(near.event_id, near.cosine, near.category) for near in similar]


def _similar(rows: Sequence[tuple[str, float, int]]) -> list[SimilarEvent]:
    return [SimilarEvent(event_id, cosine, CATEGORY_OF[category]) for event_id, cosine, category in rows]


def _with_vectors(head: dict[str, Any], vectors: NDArray[np.float32]) -> bytes:
    told = orjson.dumps(head)
    return len(told).to_bytes(_LENGTH_BYTES, "little") + told + vectors.astype("<f4", copy=False).tobytes()


def _apart(data: bytes) -> tuple[dict[str, Any], NDArray[np.float32]]:
    begin = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "little")
    vectors = np.frombuffer(data[begin:], "<f4").reshape(-1, EMBEDDING_WIDTH)
    return orjson.loads(data[_LENGTH_BYTES:begin]), vectors
