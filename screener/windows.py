"""Long texts as rows for the model: one for the embedding, windows over the whole length for the rest.

A text of up to `SHORT` tokens is one row. A longer one has a row with its first `MAX_TOKENS` tokens, whose
embedding is the text's (so it is e5's own), and windows that leave out no token. The windows alone make its
probabilities: each label's are a softened maximum. Pure.

    odds of a text = (mean over its windows of odds^SHARPNESS)^(1 / SHARPNESS)

A plain maximum takes the worst of many draws, so it rises with the number of windows, harm or not. The power
mean lies between the mean and the maximum, leaves a text alone whose windows agree, and lets one window in n
count with its odds divided by n^(1 / SHARPNESS). What it costs and saves is in docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.tokens import MAX_TOKENS, PREFIX_TOKENS, cut

SHORT = 128
"""Tokens, [CLS], prefix and [SEP] included. The model is trained on texts no longer than that."""

OVERLAP = 32
"""Tokens that two neighbouring windows share at least: what one cuts in two is whole in the other."""

SIZES = (SHORT, 192, 256, 384, MAX_TOKENS)
"""Tokens of a window: few sizes, so that windows of different texts go together without padding."""

MOST = 40
"""Windows of one text; a text that needs more gets larger ones.

10,000 characters are at most 10,000 tokens, which 29 windows of 384 hold, save for Hangul: WordPiece takes a
syllable apart into up to three letters. Beyond 19,072 tokens there are more than 40 windows of 512: up to 63,
for 30,000.
"""

SHARPNESS = 4
"""Chosen on the validation split; 1 gives the mean of the odds, infinity the maximum."""

READING = b"windows-1\0"
"""Names this way to read a text. Whoever changes it so that a version answers otherwise gives it another
name: answers kept of another way are not used."""

_LEAST = 1e-6  # probabilities this near to 0 or 1 are taken for that far away, for odds have no end
_MARKS = PREFIX_TOKENS + 1  # what every window carries beside its own tokens: [CLS] and the prefix, [SEP]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of n texts.

    Attributes:
        ids: row i of the first n belongs to text i and gives its embedding; then the windows, text by text.
        long: [m] texts that have windows, ascending.
        first_window: [m] the row of each one's first window.
    """

    ids: list[NDArray[np.int64]]
    long: NDArray[np.intp]
    first_window: NDArray[np.intp]

    def of_texts(self, probabilities: NDArray[np.float32], *, texts: int) -> NDArray[np.float32]:
        """What the rows' probabilities float32 [rows, 7] say of the texts: float32 [texts, 7]."""
        result = probabilities[:texts].copy()
        if len(self.long):
            result[self.long] = _softened(probabilities[texts:], self.first_window - texts)
        return result


def rows_of(encoded: Sequence[NDArray[np.int64]]) -> Rows:
    """The rows of texts, each int64 [length] as `Tokenizer.encode_whole` gives it."""
    ids = [cut(whole, MAX_TOKENS) for whole in encoded]
    long = [text for text, whole in enumerate(encoded) if len(whole) > SHORT]
    first_window = []
    for text in long:
        first_window.append(len(ids))
        ids += _windows(encoded[text])
    return Rows(ids, np.array(long, np.intp), np.array(first_window, np.intp))


def spans(tokens: int) -> list[tuple[int, int]]:
    """Where the windows of a text of so many tokens of its own (no marks) begin and end.

    All are of one size of `SIZES` and spread evenly; neighbours share at least `OVERLAP` tokens.
    """
    for size in SIZES:
        own = size - _MARKS
        count = max(1, -(-(tokens - OVERLAP) // (own - OVERLAP)))
        if count <= MOST:
            break
    own = min(own, tokens)
    starts = np.linspace(0, tokens - own, count).astype(int).tolist()
    return [(start, start + own) for start in starts]


def _windows(whole: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    begin, own, end = whole[:PREFIX_TOKENS], whole[PREFIX_TOKENS:-1], whole[-1:]
    return [np.concatenate((begin, own[start:stop], end)) for start, stop in spans(len(own))]


def _softened(windows: NDArray[np.float32], first: NDArray[np.intp]) -> NDArray[np.float32]:
    likely = np.clip(windows.astype(np.float64), _LEAST, 1 - _LEAST)
    counts = np.diff(first, append=len(windows))[:, None]
    powers = np.add.reduceat((likely / (1 - likely)) ** SHARPNESS, first, axis=0) / counts
    odds: NDArray[np.float64] = powers ** (1 / SHARPNESS)
    return (odds / (1 + odds)).astype(np.float32)
