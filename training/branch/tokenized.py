"""Texts as the encoder's tokens, many behind one another, and padded for a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.tokens import Tokenizer

MAX_TOKENS = 96
"""Where training cuts texts; one row in thirty is longer."""


@dataclass(frozen=True, slots=True)
class Tokenized:
    """The tokens of many texts, one behind the other."""

    flat: NDArray[np.int32]
    """[tokens]"""
    starts: NDArray[np.int64]
    """[rows + 1]: row r is flat[starts[r]:starts[r + 1]]."""

    @classmethod
    def of(cls, tokenizer: Tokenizer, texts: Sequence[str]) -> Tokenized:
        """All texts, in their order."""
        encoded = tokenizer.encode(texts)
        starts = np.concatenate([[0], np.cumsum([len(ids) for ids in encoded])]).astype(np.int64)
        return cls(np.concatenate([np.asarray(ids, np.int32) for ids in encoded]), starts)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """[rows], in tokens."""
        return np.diff(self.starts)

    def where(self, chosen: NDArray[np.bool_]) -> Tokenized:
        """The texts where `chosen` [rows] is true."""
        starts = np.concatenate([[0], np.cumsum(self.lengths[chosen])])
        return Tokenized(self.flat[np.repeat(chosen, self.lengths)], starts)

    def joined(self, other: Tokenized) -> Tokenized:
        """Both, this one first."""
        starts = np.concatenate([self.starts, other.starts[1:] + self.starts[-1]])
        return Tokenized(np.concatenate([self.flat, other.flat]), starts)

    def padded(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Ids [rows, length] with zeros behind each text's end, and [rows, length] true on tokens."""
        lengths = self.lengths[rows]
        mask = np.arange(lengths.max()) < lengths[:, np.newaxis]
        ids = np.zeros(mask.shape, dtype=np.int64)
        ids[mask] = np.concatenate([self.flat[self.starts[row] : self.starts[row + 1]] for row in rows])
        return ids, mask
