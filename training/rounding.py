"""What rounding does to an embedding: the covariance of the INT8 graph's error over the check texts.

The head is trained to be blind to these directions (`training.fit`), at hardly any loss of quality: more than
half of the error lies along one of the 384.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from screener.tokens import Bucket, Tokenizer, bucketed
from training.check_texts import check_texts
from training.embedding import no_head
from training.encoder import Encoder
from training.graph import Precision, write_model

TEXTS = 256
_LONGEST_CHARACTERS = 240  # the error hardly depends on length, and short texts are quick


def rounding_covariance(encoder: Encoder, tokenizer_file: Path, *, threads: int) -> NDArray[np.float64]:
    """[384, 384]: mean of error·errorᵀ, the error being INT8's embedding minus FP32's. Takes seconds."""
    texts = [text for text in check_texts(2 * TEXTS) if len(text) <= _LONGEST_CHARACTERS][:TEXTS]
    buckets = bucketed(Tokenizer.from_file(tokenizer_file).encode(texts), max_batch=32)
    exact, rounded = (
        _embed(write_model(encoder, no_head(), precision).SerializeToString(), buckets, threads)
        for precision in (Precision.FP32, Precision.INT8)
    )
    errors = (rounded - exact).astype(np.float64)
    return errors.T @ errors / len(errors)


def _embed(model: bytes, buckets: Sequence[Bucket], threads: int) -> NDArray[np.float32]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    parts = [
        session.run(["embedding"], {"input_ids": b.input_ids, "attention_mask": b.attention_mask})[0]
        for b in buckets
    ]
    return np.concatenate(parts)
