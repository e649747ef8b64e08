"""Embeddings to measure with: of the corpus where it lies beside the project, else of the samples.

What is computed is kept below `.cache/seawall/embeddings`, in chunks of 2,048 texts: 100,000 texts are a
quarter of an hour's work on two cores. Where more vectors are asked for than texts are at hand, further ones
are made of those: `v + SPREAD * (a - b)`, normalised, for random v, a and b of the real ones. So they spread
along the directions in which real texts differ; their cosine to v is about 0.94.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.texts import known_texts
from scripts.commands.model import CACHE
from training.embedding import MAX_TOKENS, Embedder
from training.encoder import read_encoder
from training.source import Source, fetch_source

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "data"
SPREAD = 0.5

_INDEXED = ("moderation-train", "moderation-test", "moderation-extra-train", "moderation-extra-test")
_ROWS_OF = {"moderation-train": 47_104, "moderation-extra-train": 14_336}  # whole chunks; of the others all
_HELD_OUT = "moderation-valid"
_CHUNK = 2_048
_SAMPLES = 500


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors to be indexed, and others to ask with.

    Attributes:
        texts: of the first vectors; the further ones have none.
        vectors: float32 [count, 384], L2-normalised.
        queries: float32 [queries, 384], L2-normalised, of texts that are not among those.
    """

    texts: tuple[str, ...]
    vectors: NDArray[np.float32]
    queries: NDArray[np.float32]


def embedded(count: int, *, real: int = 100_000, queries: int = 1_000) -> Embedded:
    """`count` vectors, the same at every call, of which at most `real` are those of texts.

    Computes what is not kept, some 100 texts a second on two cores.
    """
    indexed, held_out = _parts() if CORPUS.is_dir() else _parts_of_samples()
    source = fetch_source(CACHE, print)
    texts, vectors = _embed(source, indexed, min(count, real))
    _, asked = _embed(source, [held_out], queries)
    return Embedded(texts, _spread(vectors, count), asked)


def _parts() -> tuple[list[list[str]], list[str]]:
    """Texts to index, part by part, and texts to ask with."""
    held_out = _rows(_HELD_OUT)
    indexed = [_rows(name)[: _ROWS_OF.get(name)] for name in _INDEXED]
    return [*indexed, held_out[_CHUNK:]], held_out[:_CHUNK]


def _parts_of_samples() -> tuple[list[list[str]], list[str]]:
    texts = known_texts(_SAMPLES)
    return [texts[::2]], texts[1::2]


def _rows(name: str) -> list[str]:
    with gzip.open(CORPUS / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def _spread(real: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    vectors = np.empty((count, real.shape[1]), np.float32)
    vectors[: len(real)] = real[:count]
    chance = np.random.default_rng(8)
    for at in range(len(real), count, _CHUNK):
        v, a, b = real[chance.integers(len(real), size=(3, min(_CHUNK, count - at)))]
        vectors[at : at + _CHUNK] = _unit(v + SPREAD * (a - b))
    return vectors


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _embed(
    source: Source, parts: Sequence[Sequence[str]], count: int
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """The first `count` texts of the parts and their vectors; fewer where there are no more."""
    embedder: Embedder | None = None
    folder = CACHE / "embeddings"
    folder.mkdir(parents=True, exist_ok=True)
    texts: list[str] = []
    vectors: list[NDArray[np.float16]] = []
    for chunk in _chunks(parts, count):
        kept = folder / f"{_name(source, chunk)}.npy"
        if not kept.exists():
            embedder = embedder or Embedder.create(
                read_encoder(source.encoder), source.tokenizer, threads=len(os.sched_getaffinity(0))
            )
            partial = kept.with_suffix(f".{os.getpid()}.partial")
            with partial.open("wb") as file:
                np.save(file, embedder.embed(chunk).astype(np.float16))  # as the stream carries them
            partial.replace(kept)
        texts += chunk
        vectors.append(np.load(kept))
    return tuple(texts[:count]), _unit(np.concatenate(vectors)[:count].astype(np.float32))


def _chunks(parts: Sequence[Sequence[str]], count: int) -> Iterator[Sequence[str]]:
    """Whole chunks until there are `count` texts, for a chunk is known by its texts; a small count is cut."""
    begun = 0
    for part in parts:
        for at in range(0, len(part), _CHUNK):
            if begun >= count:
                return
            chunk = part[at : at + (_CHUNK if count > _CHUNK // 4 else count)]
            begun += len(chunk)
            yield chunk


def _name(source: Source, texts: Sequence[str]) -> str:
    digest = hashlib.sha256(f"{source.encoder_sha256}/{source.tokenizer_sha256}/{MAX_TOKENS}".encode())
    for text in texts:
        content = text.encode()
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()
