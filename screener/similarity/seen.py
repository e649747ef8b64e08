"""`Seen`: one screened event as `events:embeddings` carries it to every index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from pipeline.errors import EntryUndecodable
from pipeline.verdict import CATEGORY_OF, Category
from screener.model import EMBEDDING_WIDTH
from screener.similarity.family import Standing

_FORGOTTEN = b"forgotten"
_NO_VECTOR = bytes(2 * EMBEDDING_WIDTH)


@dataclass(frozen=True, slots=True)
class Said:
    """What an event's judge found out about its text and neighbours, for every index to take over.

    Attributes:
        informative: informative words (`informative.py`).
        solicits: whether a rule saw that it draws its readers somewhere.
        campaign: whether its verdict calls it part of a campaign.
        families: those that it was found near, lasting ones.
    """

    informative: int = 0
    solicits: bool = False
    campaign: bool = False
    families: tuple[Standing, ...] = ()

    def encode(self) -> bytes:
        """As the stream carries it: a JSON object."""
        return orjson.dumps(self)

    @classmethod
    def decode(cls, data: bytes) -> Said:
        """Reads what `encode` wrote; raises ValueError, KeyError or TypeError."""
        return cls.of(orjson.loads(data))

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Said:
        """Takes it from the JSON object; raises KeyError or TypeError."""
        families = tuple(Standing(**standing) for standing in facts.pop("families"))
        return cls(**facts, families=families)


NOTHING_SAID = Said()
"""Of an event that was judged without an index."""


class Seen(NamedTuple):
    """A vector and what the index must know of its event: no content, and no author but a digest.

    Attributes:
        event_id: the event.
        category: its category.
        model_version: the version that made the vector; vectors of two versions never meet.
        author: keyed digest of platform and author (`pipeline.fingerprint`).
        text: keyed digest of the content: equal texts are one vector with a count.
        seen_at_ms: when it was screened, ms since the epoch.
        vector: float32 [384], L2-normalised.
        said: of its text and neighbours.
    """

    event_id: str
    category: Category
    model_version: int
    author: bytes
    text: bytes
    seen_at_ms: int
    vector: NDArray[np.float32]
    said: Said = NOTHING_SAID

    @property
    def pushes(self) -> bool:
        """Whether it draws its readers somewhere, or is harmful."""
        return self.said.solicits or self.category is not Category.LOW_RISK

    def encode(self) -> dict[str, bytes | str | int]:
        """The fields of the stream entry; the vector goes as little-endian float16."""
        return {
            "event_id": self.event_id,
            "category": int(self.category),
            "model_version": self.model_version,
            "author": self.author,
            "text": self.text,
            "seen_at_ms": self.seen_at_ms,
            "vector": self.vector.astype("<f2").tobytes(),
            "said": self.said.encode(),
        }

    @classmethod
    def decode(cls, fields: Mapping[bytes, bytes], vector: NDArray[np.float32] | None = None) -> Seen:
        """Reads what `encode` wrote; `vector` is that of the fields where `vectors_in` has read it already.

        Raises:
            EntryUndecodable: the entry has another layout.
        """
        try:
            if vector is None:
                [vector] = vectors_in([fields])
            if vector is None:
                raise ValueError("no vector")
            return cls(
                event_id=fields[b"event_id"].decode(),
                category=CATEGORY_OF[int(fields[b"category"])],
                model_version=int(fields[b"model_version"]),
                author=fields[b"author"],
                text=fields[b"text"],
                seen_at_ms=int(fields[b"seen_at_ms"]),
                vector=vector,
                # An entry of an earlier release has none, and its vector is as good.
                said=Said.decode(fields[b"said"]) if b"said" in fields else NOTHING_SAID,
            )
        except (KeyError, ValueError, TypeError) as error:
            raise EntryUndecodable("embedding entry") from error


def vectors_in(entries: Sequence[Mapping[bytes, bytes]]) -> list[NDArray[np.float32] | None]:
    """The vectors float32 [384] of entries, all at once; None where one has none that is finite."""
    data = [fields.get(b"vector", b"") for fields in entries]
    whole = [len(each) == len(_NO_VECTOR) for each in data]
    joined = b"".join(each if is_whole else _NO_VECTOR for each, is_whole in zip(data, whole, strict=True))
    vectors = np.frombuffer(joined, "<f2").astype(np.float32).reshape(-1, EMBEDDING_WIDTH)
    # Of float16 numbers no sum overflows: it is finite where all of them are.
    sound = np.isfinite(vectors.sum(axis=1)).tolist()
    return [
        vector if is_whole and is_sound else None
        for vector, is_whole, is_sound in zip(vectors, whole, sound, strict=True)
    ]


def forgotten(author: bytes) -> dict[bytes, bytes]:
    """The fields of an entry that has every index forget an author, by digest."""
    return {_FORGOTTEN: author}


def author_to_forget(fields: Mapping[bytes, bytes]) -> bytes | None:
    """Whom an entry has the indexes forget; None where it is that of an event."""
    return fields.get(_FORGOTTEN)
