"""What a stage is trained on: rows, and the hidden states of their texts, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from screener.heuristics.rules import Rules
from screener.text.plain import plain
from screener.tokens import Tokenizer
from training.branch.augment import augmented
from training.branch.easy import easy_rows
from training.branch.network import Stem
from training.branch.rows import EASY_DRAWS, Rows, corpus_rows, thinned
from training.branch.states import MAX_TOKENS, States, hidden_states
from training.corpus import Corpus
from training.encoder import LAYERS, read_encoder
from training.source import Source
from training.synthetic.reading import Synthetic

BRANCH_LAYERS = 6
"""Half of e5's twelve: the branch then costs half of the trunk."""

AUGMENTED_SHARE = 0.1
"""Of the rows drawn: how many come once more as somebody else might have written them."""

SYNTHETIC_DRAWS = 0.6
"""How often a hand-made row is drawn in one pass: templates are learned sooner than talk."""

Advance = Callable[[str, int, int], None]
"""Told what is being computed, the rows done and the rows in all."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Row r of `rows` belongs to text r of `states`."""

    rows: Rows
    states: States

    def where(self, chosen: NDArray[np.bool_]) -> Examples:
        """The rows where `chosen` [rows] is true."""
        return Examples(self.rows.where(chosen), self.states.where(chosen))

    def joined(self, other: Examples) -> Examples:
        """Both, this one first."""
        return Examples(self.rows.joined(other.rows), self.states.joined(other.states))


class StateMaker:
    """Texts to hidden states at the split, kept below `cache`."""

    def __init__(self, source: Source, cache: Path, advance: Advance) -> None:
        self._stem = Stem(read_encoder(source.encoder), LAYERS - BRANCH_LAYERS)
        self._tokenizer = Tokenizer.from_file(source.tokenizer, max_tokens=MAX_TOKENS)
        self._cache = cache / "states"
        self._fingerprint = f"{source.encoder_sha256}/{source.tokenizer_sha256}"
        self._advance = advance

    def states(self, name: str, texts: Sequence[str]) -> States:
        """Of all texts, in their order; `name` is for the progress alone."""
        return hidden_states(
            self._stem,
            self._tokenizer,
            texts,
            self._cache,
            fingerprint=self._fingerprint,
            advance=lambda done: self._advance(name, done, len(texts)),
        )


def corpus_examples(maker: StateMaker, name: str, corpus: Corpus) -> Examples:
    """Of a corpus; sources of doubtful worth are thinned before anything is computed for them."""
    kept = thinned(corpus)
    states = maker.states(name, kept.texts)
    rows = corpus_rows(kept)
    return Examples(
        replace(rows, draws=np.where(easy_rows(rows, states), EASY_DRAWS, 1.0) * rows.draws), states
    )


def synthetic_examples(maker: StateMaker, synthetic: Synthetic) -> Examples:
    """Of the texts written for the purpose; whether one is harmful at all is always known."""
    rows = corpus_rows(synthetic.corpus)
    rows.truth[:, -1] = synthetic.any_harm
    rows.weight[:, -1] = 1.0
    rows.draws[:] = SYNTHETIC_DRAWS
    return Examples(rows, maker.states("hand-made", synthetic.corpus.texts))


def augmented_examples(maker: StateMaker, corpus: Corpus, rows: Rows, *, seed: int) -> Examples:
    """Changed copies of some rows, more of those that are drawn more often."""
    generator = np.random.default_rng(seed)
    chosen = np.flatnonzero(generator.random(len(rows)) < AUGMENTED_SHARE * rows.draws)
    clean = [corpus.texts[row] for row in np.flatnonzero(_clean(rows)) if len(corpus.texts[row]) < 120]
    vocabulary = Rules.load().vocabulary
    copies = augmented([corpus.texts[row] for row in chosen], context=clean, seed=seed)
    # The screener reads plain writing; what it cannot put back is what the branch has to know.
    texts = [plain(text, vocabulary) for text in copies]
    return Examples(rows.taken(chosen, draws=1.0), maker.states("augmented", texts))


def _clean(rows: Rows) -> NDArray[np.bool_]:
    return np.asarray((rows.truth[:, -1] == 0) & (rows.weight[:, -1] == 1))
