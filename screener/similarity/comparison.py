"""What events have in common with earlier ones: all that the core asks of the indexes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.verdict import SimilarEvent
from screener.similarity.campaign import CampaignPolicy
from screener.similarity.neighbourhood import (
    MAX_SIMILAR,
    MIN_COSINE,
    REWORDED,
    SEARCHED,
    Neighbourhood,
    Utterance,
    neighbourhood,
)
from screener.similarity.versions import VersionedIndexes


class Comparison(Protocol):
    """Who knows earlier events; vectors are float32 [n, 384], L2-normalised, of the model's `version`."""

    async def compare(
        self,
        vectors: NDArray[np.float32],
        rows: Sequence[int],
        utterances: Sequence[Utterance],
        *,
        version: int,
    ) -> list[Neighbourhood]:
        """Reads the neighbours of each utterance; `rows` says which vector is whose."""
        ...

    async def nearest(
        self, vectors: NDArray[np.float32], *, version: int, k: int, min_cosine: float
    ) -> list[list[SimilarEvent]]:
        """The nearest `k` events of each vector, nearest first, none below `min_cosine`."""
        ...


class LocalComparison:
    """By the indexes of this process."""

    def __init__(self, indexes: VersionedIndexes, policy: CampaignPolicy) -> None:
        self._indexes = indexes
        self._policy = policy

    async def compare(
        self,
        vectors: NDArray[np.float32],
        rows: Sequence[int],
        utterances: Sequence[Utterance],
        *,
        version: int,
    ) -> list[Neighbourhood]:
        """As `Comparison` has it."""
        found = await self._indexes.search(
            vectors,
            version=version,
            k=SEARCHED,
            min_cosine=MIN_COSINE,
            shown=MAX_SIMILAR,  # past these only what may be linked says anything
            linked=REWORDED,
        )
        return [
            neighbourhood(found[row], utterance, self._policy)
            for row, utterance in zip(rows, utterances, strict=True)
        ]

    async def nearest(
        self, vectors: NDArray[np.float32], *, version: int, k: int, min_cosine: float
    ) -> list[list[SimilarEvent]]:
        """As `Comparison` has it."""
        found = await self._indexes.search(vectors, version=version, k=k, min_cosine=min_cosine)
        return [[SimilarEvent(n.event_id, n.cosine, n.category) for n in near] for near in found]
