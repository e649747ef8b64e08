"""Text to token ids, and rows of ids to padded batches.

Pure apart from the `tokenizers` library (no grpc, no clock). The prefix that e5 wants, and emoji in words,
live here and nowhere else, so that training, the agreement check and serving cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tokenizers
from numpy.typing import NDArray

from pipeline.errors import StartupFailed
from screener.text.emoji_names import emoji_in_words

PREFIX = "query: "
"""Put before every text: e5 was trained with it, for symmetric tasks on both sides (e5-small-v2's model
card)."""

PREFIX_TOKENS = 3
"""[CLS], `query` and `:`, the first ids of every text; what follows them depends on the text alone."""

MAX_TOKENS = 512
"""Rows of e5-small-v2's position table: the longest row that the model takes."""

BUCKET_EDGES = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Tokens, upper ends. Finer edges waste less padding and send more requests; see docs/model-card.md."""


class TokenizerUnreadable(StartupFailed):
    """The tokenizer file is missing or is none."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Rows of like length, padded with zeros to the upper end of their class."""

    rows: NDArray[np.intp]
    """[batch]: where each row stood in the caller's list."""
    input_ids: NDArray[np.int64]
    """[batch, length]"""
    attention_mask: NDArray[np.int64]
    """[batch, length]: 1 for a token, 0 for padding."""


class Tokenizer:
    """WordPiece as e5-small-v2 was trained with. Safe to share between threads."""

    def __init__(self, inner: tokenizers.Tokenizer, *, max_tokens: int = MAX_TOKENS) -> None:
        # A tokenizer.json may carry padding or truncation of its own (some exports pad to 128): ours alone
        # count.
        inner.no_padding()
        inner.no_truncation()
        self._inner = inner
        self._max_tokens = max_tokens

    @classmethod
    def from_file(cls, path: Path, *, max_tokens: int = MAX_TOKENS) -> Tokenizer:
        """Read a tokenizer.json; raises TokenizerUnreadable."""
        if not path.is_file():
            raise TokenizerUnreadable(f"no tokenizer at {path}: run `seawall model build`")
        try:
            inner = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise TokenizerUnreadable(f"{path} is no tokenizer.json: {error}") from error
        return cls(inner, max_tokens=max_tokens)

    def encode(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Ids of each text's beginning, [CLS] and [SEP] included: int64 [length], length <= max_tokens."""
        return [cut(ids, self._max_tokens) for ids in self.encode_whole(texts)]

    def encode_whole(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        """Ids of each text, [CLS] and [SEP] included: int64 [length], as long as the text is."""
        # The fast form skips the offsets, which nobody reads.
        encodings = self._inner.encode_batch_fast([PREFIX + emoji_in_words(text) for text in texts])
        return [np.array(encoding.ids, dtype=np.int64) for encoding in encodings]


def cut(ids: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """The first `length` of a text's ids, the last of them [SEP]; the ids themselves if they are no more."""
    return ids if len(ids) <= length else np.concatenate((ids[: length - 1], ids[-1:]))


def bucketed(
    encoded: Sequence[NDArray[np.int64]], *, max_batch: int, edges: Sequence[int] = BUCKET_EDGES
) -> list[Bucket]:
    """Group rows by length: every row in exactly one bucket, at most `max_batch` rows each, shortest first.

    Rows keep their order within a bucket. A bucket is padded to its edge, for Triton batches only requests of
    one shape, and a runtime prepares itself for each shape that it meets.
    """
    if max_batch < 1:
        raise ValueError(f"max_batch must be at least 1, not {max_batch}")
    lengths = np.fromiter((len(ids) for ids in encoded), dtype=np.intp, count=len(encoded))
    classes = np.searchsorted(np.asarray(edges), lengths)
    buckets: list[Bucket] = []
    for present in np.unique(classes):
        rows = np.flatnonzero(classes == present)
        buckets += [
            _padded(encoded, rows[start : start + max_batch], edges[present])
            for start in range(0, len(rows), max_batch)
        ]
    return buckets


def _padded(encoded: Sequence[NDArray[np.int64]], rows: NDArray[np.intp], length: int) -> Bucket:
    input_ids = np.zeros((len(rows), length), dtype=np.int64)
    attention_mask = np.zeros((len(rows), length), dtype=np.int64)
    for place, row in enumerate(rows):
        ids = encoded[row]
        input_ids[place, : len(ids)] = ids
        attention_mask[place, : len(ids)] = 1
    return Bucket(rows=rows, input_ids=input_ids, attention_mask=attention_mask)
