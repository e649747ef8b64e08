"""Embeds a corpus with the frozen encoder, in chunks that are kept: a run cut off goes on there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from screener.model import EMBEDDING_WIDTH
from screener.tokens import Tokenizer, bucketed
from training.encoder import Encoder
from training.graph import Precision, write_model
from training.risk_weights import no_risk

CHUNK_ROWS = 2048
MAX_TOKENS = 128
"""Training cuts texts here: attention is quadratic, and one row in thirty is longer (they serve at up to
512)."""

_TOKENS_PER_BATCH = 2048


@dataclass(frozen=True, slots=True)
class Embedder:
    """Texts to embeddings, through the served FP32 graph in ONNX Runtime on the CPU."""

    session: onnxruntime.InferenceSession
    tokenizer: Tokenizer
    fingerprint: str
    """What the results depend on: the encoder's and the tokenizer's sha256 and the cut."""

    @classmethod
    def create(cls, encoder: Encoder, tokenizer_file: Path, *, fingerprint: str, threads: int) -> Embedder:
        """Build the session in memory (about a second)."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the machine may be shared
        model = write_model(encoder, no_risk(), Precision.FP32).SerializeToString()
        return cls(
            session=onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]),
            tokenizer=Tokenizer.from_file(tokenizer_file, max_tokens=MAX_TOKENS),
            fingerprint=f"{fingerprint}/{MAX_TOKENS}",
        )

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """[texts, 384], L2-normalised, in the order of the texts."""
        embeddings = np.empty((len(texts), EMBEDDING_WIDTH), dtype=np.float32)
        encoded = self.tokenizer.encode(texts)
        for bucket in bucketed(encoded, max_batch=_TOKENS_PER_BATCH // 32):
            feeds = {"input_ids": bucket.input_ids, "attention_mask": bucket.attention_mask}
            (embeddings[bucket.rows],) = self.session.run(["embedding"], feeds)
        return embeddings


def embed_in_chunks(embedder: Embedder, texts: Sequence[str], cache: Path) -> Iterator[NDArray[np.float32]]:
    """Yield the embeddings of each CHUNK_ROWS texts in turn, from `cache` where it has them.

    Kept as float16: its rounding (5e-4 of a component) is far below what the head's regularisation lets
    through. A chunk is known by the hash of its texts and of the encoder, so neither renamed files nor a new
    encoder mislead.
    """
    cache.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(texts), CHUNK_ROWS):
        chunk = texts[start : start + CHUNK_ROWS]
        kept = cache / f"{_chunk_key(embedder.fingerprint, chunk)}.npy"
        if not kept.exists():
            partial = kept.with_suffix(f".{os.getpid()}.partial")
            with partial.open("wb") as file:
                np.save(file, embedder.embed(chunk).astype(np.float16))
            partial.replace(kept)
        yield np.load(kept).astype(np.float32)


def _chunk_key(fingerprint: str, texts: Sequence[str]) -> str:
    digest = hashlib.sha256(fingerprint.encode())
    for text in texts:
        content = text.encode()
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()
