"""How the same words look in a chat: case, final punctuation, openers and closers that mean nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_OPENED = 0.25
_CLOSED = 0.2
_LOWER = 0.5
_UPPER = 0.04
_BARE = 0.55
"""Of texts that end in a full stop, the share that loses it."""
_ENDINGS = ("!", "...", "!!", "..", "")
_KEEPS_CAPITAL = ("I", "I'm", "I've", "I'd", "I'll")


@dataclass(frozen=True, slots=True)
class Surface:
    """Varies texts without changing what they mean."""

    openers: Sequence[str]
    closers: Sequence[str]

    def vary(self, text: str, generator: np.random.Generator) -> str:
        """Another look of `text`; what is drawn depends on the generator alone, never on the labels."""
        drawn = generator.random(4)
        if drawn[0] < _OPENED:
            text = f"{_pick(self.openers, generator)} {_without_capital(text)}"
        text = _ending(text, generator) if drawn[1] < _BARE else text
        if drawn[2] < _CLOSED:
            text = f"{text.removesuffix('.')} {_pick(self.closers, generator)}"
        if drawn[3] < _LOWER:
            return text.lower()
        return text.upper() if drawn[3] > 1 - _UPPER else text


def _ending(text: str, generator: np.random.Generator) -> str:
    if text.endswith("?"):
        return text[:-1] + ("??" if generator.random() < 0.3 else "")
    if text.endswith(".") and not text.endswith(".."):
        ending = _pick(_ENDINGS, generator) if generator.random() < 0.3 else ""
        return text[:-1] + ending
    return text


def _without_capital(text: str) -> str:
    first, _, _ = text.partition(" ")
    if first in _KEEPS_CAPITAL or first.isupper():
        return text
    return text[:1].lower() + text[1:]


def _pick(values: Sequence[str], generator: np.random.Generator) -> str:
    return values[generator.integers(len(values))]
