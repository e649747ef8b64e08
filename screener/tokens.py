"""Text to token ids.

Pure apart from the `tokenizers` library (no grpc, no clock). The prefix that e5 wants, and emoji in words,
live here and nowhere else, so that training, the agreement check and serving cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Sequence
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


class TokenizerUnreadable(StartupFailed):
    """The tokenizer file is missing or is none."""


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


def distinct(encoded: Sequence[NDArray[np.int64]]) -> tuple[list[NDArray[np.int64]], NDArray[np.intp]]:
    """Each different row of ids once, in order, and for each row where among these it is."""
    places: dict[bytes, int] = {}
    of_row = [places.setdefault(ids.tobytes(), len(places)) for ids in encoded]
    return [np.frombuffer(ids, np.int64) for ids in places], np.array(of_row, np.intp)
