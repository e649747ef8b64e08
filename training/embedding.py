"""Embeds texts with the frozen encoder, for what is told of embeddings before a version serves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from screener.buckets import bucketed
from screener.model import EMBEDDING_WIDTH
from screener.tokens import Tokenizer
from training.encoder import Encoder
from training.graph import Precision, write_model
from training.risk_weights import no_risk

MAX_TOKENS = 128
"""Where texts are cut: those that the golden embeddings were made of are longer than a line, not a page."""

_TOKENS_PER_BATCH = 2048


@dataclass(frozen=True, slots=True)
class Embedder:
    """Texts to embeddings, through the served FP32 graph in ONNX Runtime on the CPU."""

    session: onnxruntime.InferenceSession
    tokenizer: Tokenizer

    @classmethod
    def create(cls, encoder: Encoder, tokenizer_file: Path, *, threads: int) -> Embedder:
        """Build the session in memory (about a second)."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the machine may be shared
        model = write_model(encoder, no_risk(), Precision.FP32).SerializeToString()
        return cls(
            session=onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]),
            tokenizer=Tokenizer.from_file(tokenizer_file, max_tokens=MAX_TOKENS),
        )

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """[texts, 384], L2-normalised, in the order of the texts."""
        embeddings = np.empty((len(texts), EMBEDDING_WIDTH), dtype=np.float32)
        encoded = self.tokenizer.encode(texts)
        for bucket in bucketed(encoded, max_batch=_TOKENS_PER_BATCH // 32):
            feeds = {"input_ids": bucket.input_ids, "attention_mask": bucket.attention_mask}
            (embeddings[bucket.rows],) = self.session.run(["embedding"], feeds)
        return embeddings
