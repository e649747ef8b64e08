"""What the branch is trained on: rows, how far each of their labels is trusted, how often each is drawn.

Sources differ in what their labels are worth. The tables here are the whole of that opinion;
`docs/model-card.md` tells where it comes from and what it brought.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.model import ANY_HARM, CATEGORIES, OUTPUTS
from training.corpus import Corpus

Floats = NDArray[np.float32]

_TOXIC = CATEGORIES.index("TOXIC")

LABEL_TRUST: Mapping[str, float] = {
    "implicit-hate": 0.6,
    "gab-hate": 0.8,
    "misogyny": 0.7,
    "stormfront": 0.7,
    "toxic-spans": 0.5,
}
"""Weight of a source's labels in the loss, else 1: one label in five of `implicit-hate` looks wrong."""

UNTRUSTED = {("toxic-spans", "TOXIC")}
"""Labels that are left out: a source that knows nearly only positives teaches that all is positive."""

CLEAN_TRUST: Mapping[str, float] = {
    "dolly": 1.0,
    "clinc150": 1.0,
    "sms-spam": 0.8,
    "sms-phishing": 0.8,
    "youtube-spam": 0.6,
    "janitr": 0.8,
    "havoc": 0.9,
    "nsfw-bios": 0.8,
    "reddit-titles": 0.8,
    "toxigen": 0.7,
    "hatemoji": 0.7,
    "discord-groups": 0.8,
    "telegram-mix": 0.7,
    "ethos": 0.3,
    "kaggle-insults": 0.5,
    "edos": 0.2,
    "stormfront": 0.2,
    "implicit-hate": 0.2,
}
"""How far a row without a positive label is harmless where TOXIC is unknown, else 0. With TOXIC 0 it is 1."""

KEPT: Mapping[str, float] = {
    "implicit-hate": 0.27,
    "toxic-spans": 0.08,
    "gab-hate": 0.6,
    "misogyny": 0.3,
    "reddit-titles": 0.6,
}
"""The share of a source's rows that is used at all, else all. Rare positives stay (`thinned`)."""

DRAWS: Mapping[str, float] = {
    "gametox": 1.1,
    "kaggle-insults": 1.4,
    "hatexplain": 2.0,
    "edos": 1.2,
    "havoc": 1.5,
    "nsfw-bios": 3.0,
    "convabuse": 2.5,
    "sms-spam": 1.5,
    "sms-phishing": 4.0,
    "youtube-spam": 3.0,
    "janitr": 2.5,
    "stormfront": 0.7,
}
"""How often a row of a source is drawn in one pass, else once."""

LABEL_DRAWS = {"SPAM": 1.5, "HATE_SPEECH": 1.3, "VIOLENCE": 4.0, "SEXUAL": 2.0}
"""By how much a positive of a label is drawn more often; of several the largest."""

EASY_DRAWS = 0.4
"""By how much a harmless row is drawn less often that a linear model already puts in the lower half."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Training rows; row r of each array belongs to row r of the hidden states."""

    truth: Floats
    """[rows, 7] in 0..1; 0 where unknown."""
    weight: Floats
    """[rows, 7]: of each entry in the loss; 0 where unknown."""
    draws: Floats
    """[rows]: how often each is drawn in one pass."""
    sources: NDArray[np.str_]
    """[rows]"""

    def __len__(self) -> int:
        return len(self.draws)

    def taken(self, chosen: NDArray[np.int64], *, draws: float) -> Rows:
        """Some of the rows, each drawn `draws` times."""
        return Rows(
            self.truth[chosen],
            self.weight[chosen],
            np.full(len(chosen), draws, np.float32),
            self.sources[chosen],
        )

    def where(self, chosen: NDArray[np.bool_]) -> Rows:
        """The rows where `chosen` is true."""
        return Rows(self.truth[chosen], self.weight[chosen], self.draws[chosen], self.sources[chosen])

    def joined(self, other: Rows) -> Rows:
        """Both, this one first."""
        return Rows(
            np.concatenate([self.truth, other.truth]),
            np.concatenate([self.weight, other.weight]),
            np.concatenate([self.draws, other.draws]),
            np.concatenate([self.sources, other.sources]),
        )


def thinned(corpus: Corpus, *, seed: int = 1) -> Corpus:
    """Without the rows that `KEPT` leaves out."""
    shares = _of_source(corpus, KEPT, 1.0)
    violent, hateful = (corpus.labels[:, CATEGORIES.index(name)] == 1 for name in ("VIOLENCE", "HATE_SPEECH"))
    # In `implicit-hate` hate is neither rare nor sure.
    rare = violent | (hateful & (corpus.sources != "implicit-hate"))
    return corpus.taken(rare | (np.random.default_rng(seed).random(len(corpus)) < shares))


def corpus_rows(corpus: Corpus) -> Rows:
    """The rows of a corpus, weighed by the tables above."""
    known = ~np.isnan(corpus.labels)
    trust = _of_source(corpus, LABEL_TRUST, 1.0)
    weight = np.zeros((len(corpus), OUTPUTS), np.float32)
    weight[:, :ANY_HARM] = known * trust[:, np.newaxis]
    for source, label in UNTRUSTED:
        weight[corpus.sources == source, CATEGORIES.index(label)] = 0.0
    truth = np.zeros((len(corpus), OUTPUTS), np.float32)
    truth[:, :ANY_HARM] = np.nan_to_num(corpus.labels)
    harmful = (truth[:, :ANY_HARM] == 1).any(axis=1)
    truth[:, ANY_HARM] = harmful
    clean = np.where(corpus.labels[:, _TOXIC] == 0, 1.0, _of_source(corpus, CLEAN_TRUST, 0.0))
    weight[:, ANY_HARM] = np.where(harmful, trust, clean)
    draws = _of_source(corpus, DRAWS, 1.0)
    more = np.ones(len(corpus), np.float32)
    for label, factor in LABEL_DRAWS.items():
        positive = corpus.labels[:, CATEGORIES.index(label)] == 1
        more[positive] = np.maximum(more[positive], factor)
    return Rows(truth, weight, draws * more, corpus.sources)


def _of_source(corpus: Corpus, table: Mapping[str, float], otherwise: float) -> Floats:
    names, places = np.unique(corpus.sources, return_inverse=True)
    return np.array([table.get(str(name), otherwise) for name in names], np.float32)[places]
