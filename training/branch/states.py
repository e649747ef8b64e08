"""Hidden states of the frozen layers below the split, computed once for each text and kept on disk.

They cost as much as all that follows in one pass over the corpus, and every pass and every experiment needs
them. float16: 0.8 kB a token, 4 GB for 200,000 chat messages.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from screener.text.emoji_names import emoji_in_words
from screener.tokens import Tokenizer
from training.branch.network import Stem
from training.encoder import WIDTH

CHUNK_ROWS = 2048
MAX_TOKENS = 96
"""Where training cuts texts; one row in thirty is longer."""

_TOKENS_PER_BATCH = 2048


@dataclass(frozen=True, slots=True)
class States:
    """The hidden states of many texts, one behind the other."""

    flat: NDArray[np.float16]
    """[tokens, 384]"""
    starts: NDArray[np.int64]
    """[rows + 1]: row r is flat[starts[r]:starts[r + 1]]."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """[rows], in tokens."""
        return np.diff(self.starts)

    def where(self, chosen: NDArray[np.bool_]) -> States:
        """The texts where `chosen` [rows] is true."""
        starts = np.concatenate([[0], np.cumsum(self.lengths[chosen])])
        return States(self.flat[np.repeat(chosen, self.lengths)], starts)

    def joined(self, other: States) -> States:
        """Both, this one first."""
        starts = np.concatenate([self.starts, other.starts[1:] + self.starts[-1]])
        return States(np.concatenate([self.flat, other.flat]), starts)

    def padded(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
        """[rows, length, 384] with zeros behind each text's end, and [rows, length] true on tokens."""
        lengths = self.lengths[rows]
        hidden = np.zeros((len(rows), lengths.max(), WIDTH), dtype=np.float16)
        for place, row in enumerate(rows):
            hidden[place, : lengths[place]] = self.flat[self.starts[row] : self.starts[row + 1]]
        return hidden, np.arange(hidden.shape[1]) < lengths[:, np.newaxis]


def hidden_states(
    stem: Stem,
    tokenizer: Tokenizer,
    texts: Sequence[str],
    cache: Path,
    *,
    fingerprint: str,
    advance: Callable[[int], None],
) -> States:
    """The states of all texts, from `cache` where it has them. `fingerprint`: of encoder and tokenizer."""
    cache.mkdir(parents=True, exist_ok=True)
    paths, lengths = [], []
    for start in range(0, len(texts), CHUNK_ROWS):
        chunk = texts[start : start + CHUNK_ROWS]
        path = cache / f"{_key(f'{fingerprint}/{len(stem.blocks)}/{MAX_TOKENS}', chunk)}.npz"
        if not path.exists():
            flat, counts = _compute(stem, tokenizer, chunk)
            partial = path.with_suffix(f".{os.getpid()}.partial")
            with partial.open("wb") as file:
                np.savez(file, flat=flat, lengths=counts)
            partial.replace(path)
        with np.load(path) as kept:
            lengths.append(kept["lengths"])
        paths.append(path)
        advance(start + len(chunk))
    starts = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    flat = np.empty((starts[-1], WIDTH), dtype=np.float16)
    place = 0
    for path in paths:
        with np.load(path) as kept:
            part = kept["flat"]
        flat[place : place + len(part)] = part
        place += len(part)
    return States(flat, starts)


def _compute(
    stem: Stem, tokenizer: Tokenizer, texts: Sequence[str]
) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
    encoded = tokenizer.encode(texts)
    lengths = np.array([len(ids) for ids in encoded])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    flat = np.empty((starts[-1], WIDTH), dtype=np.float16)
    for rows in _batches(lengths):
        width = lengths[rows].max()
        ids = np.zeros((len(rows), width), dtype=np.int64)
        mask = np.arange(width) < lengths[rows, np.newaxis]
        ids[mask] = np.concatenate([encoded[row] for row in rows])
        with torch.no_grad():
            hidden = stem(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
        for place, row in enumerate(rows):
            flat[starts[row] : starts[row + 1]] = hidden[place, : lengths[row]]
    return flat, lengths


def _batches(lengths: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Rows of like length, at most _TOKENS_PER_BATCH tokens with the padding."""
    order = np.argsort(lengths, kind="stable")
    batches, first = [], 0
    for last in range(1, len(order) + 1):
        if last == len(order) or (last + 1 - first) * lengths[order[last]] > _TOKENS_PER_BATCH:
            batches.append(order[first:last])
            first = last
    return batches


def _key(fingerprint: str, texts: Sequence[str]) -> str:
    digest = hashlib.sha256(fingerprint.encode())
    for text in texts:
        content = emoji_in_words(text).encode()  # as the tokenizer reads it
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()
