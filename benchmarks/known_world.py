"""A running system made to know much: texts in its cache, vectors in its index, and no model asked."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import numpy as np
import redis.asyncio as aioredis
from numpy.typing import NDArray

from benchmarks.embeddings import embedded
from benchmarks.processor import processor_s
from benchmarks.texts import known_texts
from pipeline.fingerprint import Digests
from pipeline.keys import ONLY
from pipeline.verdict import Category
from screener.cache import CachedOutput, EmbeddingCache
from screener.heuristics import Heuristics, Rules
from screener.model import OUTPUTS, ModelVersion
from screener.similarity.informative import informative_words
from screener.similarity.seen import Said, Seen
from screener.tokens import Tokenizer
from screener.triton import TritonModel
from scripts.system.system import TOKENIZER, System

_AT_ONCE = 1_000
_CACHED_S = 3_600
_AGO_MS = 3_600_000
"""When the vectors were seen: too long ago for anything of now to be a flood with them."""

_GAUGE = "similarity_index_events"
_INDEXED_IN_S = 600.0
_LOOK_S, _IDLE_SHARE = 0.5, 0.1


@dataclass(frozen=True, slots=True)
class Known:
    """Texts with their vectors float32 [texts, 384]; further vectors may follow those of the texts."""

    texts: tuple[str, ...]
    vectors: NDArray[np.float32]

    @classmethod
    def real(cls, texts: int, vectors: int, *, brief: bool) -> Known:
        """Texts of the corpus, where it is at hand, and real vectors: those of the texts first."""
        found = embedded(vectors, real=256 if brief else vectors)
        own = [text for text in found.texts[:texts] if text.strip()]
        # Where there is no corpus, vectors of other texts do as well: what a search costs is the same.
        own += known_texts(texts - len(own))
        return cls(tuple(own), found.vectors)


async def teach(system: System, store: aioredis.Redis, known: Known) -> None:
    """Fills the system's cache and index, and waits until the first screener has both.

    Probabilities are made up: most texts are harmless, one in fifty is not.

    Raises:
        TimeoutError: the screener does not take the vectors up.
    """
    version = await fill_cache(system, store, known)
    expected = await _fill_index(store, Digests(system.dedup_secret), version, known)
    async with asyncio.timeout(_INDEXED_IN_S):
        while True:
            if _indexed(await asyncio.to_thread(system.screener.metrics)) >= expected:
                break
            await asyncio.sleep(0.1)
        await _idle(system.screener.process.pid)


async def fill_cache(system: System, store: aioredis.Redis, known: Known) -> ModelVersion:
    """Fills the system's cache alone, for the version that its Triton serves; which is that."""
    model = TritonModel.connect(system.triton.grpc_url, Tokenizer.from_file(TOKENIZER))
    try:
        version = await model.current_version()
    finally:
        await model.close()
    cache = EmbeddingCache(store, ONLY, Digests(system.dedup_secret), ttl_seconds=_CACHED_S)
    await _fill_cache(cache, version, known)
    return version


async def _idle(pid: int) -> None:
    """Until a process does next to nothing: graphs of full segments are built after all is indexed."""
    before = processor_s(pid)
    while True:
        await asyncio.sleep(_LOOK_S)
        now = processor_s(pid)
        if now - before < _IDLE_SHARE * _LOOK_S:
            return
        before = now


async def _fill_cache(cache: EmbeddingCache, version: ModelVersion, known: Known) -> None:
    rules = Heuristics(Rules.load())
    chance = np.random.default_rng(8)
    likely = chance.beta(0.3, 12, size=(len(known.texts), OUTPUTS)).astype(np.float32)
    likely[::50] = 0.9
    for at in range(0, len(known.texts), _AT_ONCE):
        await cache.put(
            version,
            [
                (rules.reveal(known.texts[row]).text, CachedOutput(known.vectors[row], likely[row]))
                for row in range(at, min(at + _AT_ONCE, len(known.texts)))
            ],
        )


async def _fill_index(store: aioredis.Redis, digests: Digests, version: ModelVersion, known: Known) -> int:
    """Appends what the screeners tail; how many different texts that is."""
    texts: set[bytes] = set()
    at_ms = time.time_ns() // 1_000_000 - _AGO_MS
    for at in range(0, len(known.vectors), _AT_ONCE):
        async with store.pipeline(transaction=False) as pipe:
            for row in range(at, min(at + _AT_ONCE, len(known.vectors))):
                text = known.texts[row] if row < len(known.texts) else f"no text {row}"
                seen = Seen(
                    event_id=f"known-{row}",
                    category=Category.LOW_RISK,
                    model_version=version.number,
                    author=digests.author(0, f"known-{row}"),
                    text=digests.text(text),
                    seen_at_ms=at_ms,
                    vector=known.vectors[row],
                    said=Said(informative=informative_words(text)),
                )
                texts.add(seen.text)
                pipe.xadd(ONLY.embeddings, seen.encode())  # type: ignore[arg-type]  # invariant dict
            await pipe.execute()
    return len(texts)


def _indexed(metrics: str) -> float:
    values = [line.split()[1] for line in metrics.splitlines() if line.startswith(f"{_GAUGE} ")]
    return float(values[0]) if values else 0.0
