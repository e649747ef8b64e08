"""The words that are worth recognising in disguise, and the disguises that a look-up undoes.

Folding and the shape of a word alone cannot tell whether "fuuck" is a stretched "fuck", or which letters of
`i a m a i d i o t` belong together. A vocabulary can: it knows the few hundred words that matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

_RUN = re.compile(r"(.)\1+")
LONGEST = 24
"""Longer words are not looked for in spelled letters."""


def squeeze(word: str) -> str:
    """Every run of equal characters cut to one."""
    return _RUN.sub(r"\1", word)


class Vocabulary:
    """Words to recognise, with their disguises.

    Args:
        words: what to recognise: folded, single words. Where two have a disguise in common ("s**t"), the
            first has it.
        fillers: harmless words that may stand between them where letters are spelled one by one.
        plain: words that are never a disguise of another ("looser", "coop").
    """

    def __init__(
        self, words: Iterable[str] = (), *, fillers: Iterable[str] = (), plain: Iterable[str] = ()
    ) -> None:
        ordered = dict.fromkeys(words)
        self.words = frozenset(ordered)
        self.aliases: Mapping[str, str] = _aliases(ordered, self.words | frozenset(plain))
        self._spelled = {word.replace("l", "i"): word for word in ordered if len(word) > 3}
        self._spelled |= {word: word for word in [*fillers, *ordered] if len(word) <= LONGEST}
        self._beginnings = {word[:end] for word in self._spelled for end in range(1, len(word) + 1)}
        self._squeezed: dict[str, list[str]] = {}
        for word in ordered:
            self._squeezed.setdefault(squeeze(word), []).append(word)

    def knows(self, word: str) -> bool:
        """Whether the word is one of the vocabulary, plainly or in a disguise that needs a look-up."""
        return word in self.words or word in self.aliases

    def stretched(self, word: str) -> str | None:
        """The word that was stretched to this one: no run of equal letters is shorter than its own."""
        for known in self._squeezed.get(squeeze(word), ()):
            if all(here >= there for here, there in zip(_runs(word), _runs(known), strict=True)):
                return known
        return None

    def split(self, letters: str) -> list[tuple[int, int, str]] | None:
        """Letters that were spelled one by one, as words and fillers that cover them; None if they do not.

        Each piece is (start, end, word). Prefers the fewest pieces; at most `LONGEST` look-ups a letter.
        """
        unreached = len(letters) + 1
        count = [0] + [unreached] * len(letters)
        best: list[tuple[int, int, str]] = [(0, 0, "")] * (len(letters) + 1)  # the piece that ends there
        for start in range(len(letters)):
            if count[start] == unreached:
                continue
            for end in range(start + 1, min(start + LONGEST, len(letters)) + 1):
                piece = letters[start:end]
                if piece not in self._beginnings:
                    break
                known = self._spelled.get(piece)
                if known is not None and count[start] + 1 < count[end]:
                    count[end], best[end] = count[start] + 1, (start, end, known)
        if count[-1] == unreached:
            return None
        pieces: list[tuple[int, int, str]] = []
        end = len(letters)
        while end:
            pieces.append(best[end])
            end = best[end][0]
        pieces.reverse()
        return pieces if any(known in self.words for _, _, known in pieces) else None


def _runs(word: str) -> list[int]:
    runs = [1]
    for before, letter in pairwise(word):
        if letter == before:
            runs[-1] += 1
        else:
            runs.append(1)
    return runs


def _aliases(words: Iterable[str], taken: frozenset[str]) -> dict[str, str]:
    aliases: dict[str, str] = {}
    for word in words:
        for alias in _disguises(word):
            if alias not in taken:
                aliases.setdefault(alias, word)
    return aliases


def _disguises(word: str) -> Iterable[str]:
    """Doubled letters, masks ("f**k", "s*it") and i for l (as decoded from 1, or a capital I)."""
    if len(word) < 4:
        return
    for place, letter in enumerate(word):
        if word[place - 1 : place] != letter and word[place + 1 : place + 2] != letter:
            yield word[:place] + letter + word[place:]
    if "l" in word:
        yield word.replace("l", "i")
    for start in range(1, len(word) - 1):
        for end in range(start + 1, len(word) + (start > 1)):
            yield word[:start] + "*" * (end - start) + word[end:]
            if end < len(word):
                yield word[:start] + "*" + word[end:]
