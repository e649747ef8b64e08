"""`Encoder`: texts in, embeddings and probabilities out; from the cache where it has them, else the model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from pipeline.errors import StoreUnavailable
from screener.cache import CachedOutput
from screener.metrics import ScreenerMetrics
from screener.model import EMBEDDING_WIDTH, OUTPUTS, ModelVersion, RiskModel

MOST_CHARACTERS = 10_000
"""Long texts of one call of the model: one of the longest, or several of a page; short ones as many as come.

Each call has its time and enters the cache by itself. So a batch of long texts, which is minutes of work on a
small machine, cannot fail for its size alone, and what is tried again begins where it ended.
"""

_SHORT = 500  # characters

_log = structlog.get_logger(__name__)
_WARM_UP = "Is anybody there?"


class Cache(Protocol):
    """The cache, as the encoder sees it; either call may raise StoreUnavailable."""

    async def get(self, version: ModelVersion, texts: Sequence[str]) -> list[CachedOutput | None]:
        """What is known of each text, in order."""

    async def put(self, version: ModelVersion, outputs: Sequence[tuple[str, CachedOutput]]) -> None:
        """Remembers outputs."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """What one model version says of n texts.

    Attributes:
        version: the model version.
        embeddings: float32 [n, 384].
        probabilities: float32 [n, 7].
        thresholds: [2][7]: label thresholds, escalation thresholds.
        cached: bool [n], whether the text came from the cache.
        cache_ms: time of the look-up.
        model_ms: time of tokenising and inference.
    """

    version: int
    embeddings: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    thresholds: tuple[tuple[float, ...], ...]
    cached: NDArray[np.bool_]
    cache_ms: float
    model_ms: float


class Encoder:
    """Cache before model. Only distinct texts are worth passing in: equal ones are computed twice."""

    def __init__(self, model: RiskModel, cache: Cache | None, metrics: ScreenerMetrics) -> None:
        self._model = model
        self._cache = cache
        self._metrics = metrics
        self._thresholds: dict[int, tuple[tuple[float, ...], ...]] = {}

    async def encode(self, texts: Sequence[str], *, timeout_s: float) -> Encoded:
        """Embeds and classifies, all by one model version.

        Args:
            texts: distinct texts.
            timeout_s: most time for one call of the model, of which a batch of long texts takes several.

        Raises:
            ModelUnavailable: Triton is away, loading, or too slow.
            ModelOutputInvalid: the model answered nonsense.
        """
        started = time.perf_counter()
        version = await self._model.current_version()
        known: Sequence[CachedOutput | None] = [None] * len(texts)
        # Thresholds come with an inference alone: the first batch of a version is always computed.
        if self._cache is not None and version.number in self._thresholds:
            known = await self._look_up(self._cache, version, texts)
        looked_up = time.perf_counter()
        missing = [i for i, output in enumerate(known) if output is None]
        embeddings = np.empty((len(texts), EMBEDDING_WIDTH), np.float32)
        probabilities = np.empty((len(texts), OUTPUTS), np.float32)
        for portion in portions(texts, missing):
            asked = time.perf_counter()
            output = await self._model.infer([texts[i] for i in portion], timeout_s=timeout_s)
            self._metrics.embedding_latency.observe(time.perf_counter() - asked)
            self._learn(output.version, output.thresholds)
            if output.version != version.number:
                # The version changed under way: what else is known is another's, so all is asked again.
                if len(portion) < len(texts):
                    return await self.encode(texts, timeout_s=timeout_s)
                version = ModelVersion(output.version, version.precision)
            embeddings[portion], probabilities[portion] = output.embeddings, output.probabilities
            await self._remember(version, texts, portion, embeddings, probabilities)
        cached = np.ones(len(texts), np.bool_)
        cached[missing] = False
        for i, found in enumerate(known):
            if found is not None:
                embeddings[i], probabilities[i] = found.embedding, found.probabilities
        return Encoded(
            version=version.number,
            embeddings=embeddings,
            probabilities=probabilities,
            thresholds=self._thresholds[version.number],
            cached=cached,
            cache_ms=(looked_up - started) * 1000,
            model_ms=(time.perf_counter() - looked_up) * 1000 if missing else 0.0,
        )

    async def warm_up(self, *, timeout_s: float) -> None:
        """Asks the model once, so that the first event finds it warm; errors as `encode`."""
        await self.encode([_WARM_UP], timeout_s=timeout_s)

    async def _look_up(
        self, cache: Cache, version: ModelVersion, texts: Sequence[str]
    ) -> Sequence[CachedOutput | None]:
        try:
            known = await cache.get(version, texts)
        except StoreUnavailable:  # a cache that is away is an empty one
            _log.warning("embedding_cache_away")
            return [None] * len(texts)
        hits = sum(output is not None for output in known)
        self._metrics.cache_hits.inc(hits)
        self._metrics.cache_misses.inc(len(texts) - hits)
        return known

    async def _remember(
        self,
        version: ModelVersion,
        texts: Sequence[str],
        rows: Sequence[int],
        embeddings: NDArray[np.float32],
        probabilities: NDArray[np.float32],
    ) -> None:
        if self._cache is None:
            return
        try:
            await self._cache.put(
                version, [(texts[i], CachedOutput(embeddings[i], probabilities[i])) for i in rows]
            )
        except StoreUnavailable:
            _log.warning("embedding_cache_away")

    def _learn(self, version: int, thresholds: NDArray[np.float32]) -> None:
        if version not in self._thresholds:
            self._thresholds[version] = tuple(tuple(float(t) for t in row) for row in thresholds)


def is_long(text: str) -> bool:
    """Whether it is more than about one short row of the model's."""
    return len(text) > _SHORT


def portions(texts: Sequence[str], rows: Sequence[int]) -> list[list[int]]:
    """The rows in order, cut where long texts exceed `MOST_CHARACTERS`; at least one row in each."""
    result: list[list[int]] = []
    characters = 0
    for row in rows:
        long = len(texts[row]) if is_long(texts[row]) else 0
        characters += long
        if not result or (long and characters > MOST_CHARACTERS):
            result.append([])
            characters = long
        result[-1].append(row)
    return result
