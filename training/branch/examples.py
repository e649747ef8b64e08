"""What a stage is trained on: rows, and the tokens of their texts, side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from screener.heuristics.rules import Rules
from screener.text.plain import plain
from screener.tokens import Tokenizer
from training.branch.augment import augmented
from training.branch.easy import easy_rows, mean_states
from training.branch.network import Stem
from training.branch.rows import EASY_DRAWS, Rows, corpus_rows, thinned
from training.branch.tokenized import Tokenized
from training.corpus import Corpus
from training.synthetic.reading import Synthetic

AUGMENTED_SHARE = 0.1
"""Of the rows drawn: how many come once more as somebody else might have written them."""

FILLED_DRAWS, WRITTEN_DRAWS = 0.6, 2.0
"""How often a hand-made row is drawn in one pass: a template filled is learned sooner than talk, and a text
that was worded by itself is like no other."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Row r of `rows` belongs to text r of `texts`."""

    rows: Rows
    texts: Tokenized

    def where(self, chosen: NDArray[np.bool_]) -> Examples:
        """The rows where `chosen` [rows] is true."""
        return Examples(self.rows.where(chosen), self.texts.where(chosen))

    def joined(self, other: Examples) -> Examples:
        """Both, this one first."""
        return Examples(self.rows.joined(other.rows), self.texts.joined(other.texts))


def corpus_examples(tokenizer: Tokenizer, words: Stem, corpus: Corpus, *, device: str) -> Examples:
    """Of a corpus, its sources of doubtful worth thinned, its easy rows drawn less often.

    `words` has no blocks: what is easy, a linear model on the tokens' own embeddings tells.
    """
    kept = thinned(corpus)
    texts = Tokenized.of(tokenizer, kept.texts)
    rows = corpus_rows(kept)
    easy = easy_rows(rows, mean_states(words, texts, device))
    return Examples(replace(rows, draws=np.where(easy, EASY_DRAWS, 1.0) * rows.draws), texts)


def synthetic_examples(tokenizer: Tokenizer, synthetic: Synthetic) -> Examples:
    """Of the texts written for the purpose; whether one is harmful at all is always known."""
    rows = corpus_rows(synthetic.corpus)
    rows.truth[:, -1] = synthetic.any_harm
    rows.weight[:, -1] = 1.0
    rows.draws[:] = np.where(synthetic.written_out, WRITTEN_DRAWS, FILLED_DRAWS)
    return Examples(rows, Tokenized.of(tokenizer, synthetic.corpus.texts))


def augmented_examples(tokenizer: Tokenizer, corpus: Corpus, rows: Rows, *, seed: int) -> Examples:
    """Changed copies of some rows, more of those that are drawn more often."""
    generator = np.random.default_rng(seed)
    chosen = np.flatnonzero(generator.random(len(rows)) < AUGMENTED_SHARE * rows.draws)
    clean = [corpus.texts[row] for row in np.flatnonzero(_clean(rows)) if len(corpus.texts[row]) < 120]
    vocabulary = Rules.load().vocabulary
    copies = augmented([corpus.texts[row] for row in chosen], context=clean, seed=seed)
    # The screener reads plain writing; what it cannot put back is what the branch has to know.
    texts = [plain(text, vocabulary) for text in copies]
    return Examples(rows.taken(chosen, draws=1.0), Tokenized.of(tokenizer, texts))


def _clean(rows: Rows) -> NDArray[np.bool_]:
    return np.asarray((rows.truth[:, -1] == 0) & (rows.weight[:, -1] == 1))
