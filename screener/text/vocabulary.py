"""The words that are worth recognising in disguise, and the disguises that a look-up undoes.

Folding and the shape of a word alone cannot tell whether "fuuck" is a stretched "fuck", or which letters of
`i a m a i d i o t` belong together. A vocabulary can: it knows the few hundred words that matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import inf, log

from screener.text.draft import Edit
from screener.text.english import English
from screener.text.kinds import Kinds

_RUN = re.compile(r"(.)\1+")
LONGEST = 24
"""Longer words are not looked for in spelled letters."""

_SHORTEST_SPOKEN = 4
_SHORTEST_OF_TWO, _SHORTEST_SECOND_OF_TWO = 4, 6
_FILLER_SURPRISE = log(100)
_SPOKEN_SURPRISE = log(3_000)
_LISTED_SURPRISE = log(500)
"""Words that somebody would hide are more frequent where somebody hides words."""

_WORD_COST = 2.0
"""Against cutting a rare long word into frequent short ones."""


def squeeze(word: str) -> str:
    """Every run of equal characters cut to one."""
    return _RUN.sub(r"\1", word)


class Vocabulary:
    """Words to recognise, with their disguises; remembers what was found out about chunks of text.

    Args:
        words: what to recognise: folded, single words. Where two have a disguise in common ("s**t"), the
            first has it.
        fillers: harmless words that may stand between them where letters are spelled one by one.
        plain: words that are never a disguise of another ("looser", "coop").
        english: the language around them; without it, only they are recognised.
        spoken: further words of that language, in no order.
    """

    def __init__(
        self,
        words: Iterable[str] = (),
        *,
        fillers: Iterable[str] = (),
        plain: Iterable[str] = (),
        english: English | None = None,
        spoken: Iterable[str] = (),
    ) -> None:
        ordered = dict.fromkeys(word for word in words if not _is_two(word, english))
        self.words = frozenset(ordered)
        self.english = english
        self._spoken = frozenset(
            word for word in spoken if len(word) >= _SHORTEST_SPOKEN and not _is_two(word, english)
        )
        known = english.words if english else frozenset[str]()
        self.ordinary = self.words | self._spoken | frozenset(plain) | known
        self.kinds = Kinds(self.ordinary)
        self.undone: dict[str, Sequence[Edit]] = {}
        # Of two words with a disguise in common the one has it that is no disguise itself.
        ordered = dict.fromkeys(sorted(ordered, key=lambda word: not self.is_english(word)))
        self.aliases: Mapping[str, str] = _aliases(ordered, self.ordinary)
        self.fragments = frozenset(
            word[start:end]
            for word in self.words
            for start in range(len(word))
            for end in range(start + 1, len(word) + (start > 0))
        )
        self._surprise = _surprise(ordered, self._spoken, fillers, english)
        self._squeezed: dict[str, list[str]] = {}
        for word in ordered:
            self._squeezed.setdefault(squeeze(word), []).append(word)

    def forget_chunks(self) -> None:
        """Forgets what was found out about chunks, as if no text had been read: to measure what it costs."""
        self.kinds.clear()
        self.undone.clear()

    def knows(self, word: str) -> bool:
        """Whether the word is one of the vocabulary, plainly or in a disguise that needs a look-up."""
        return word in self.words or word in self.aliases

    def is_word(self, word: str) -> bool:
        """Whether the word is plain writing: English, or one of the vocabulary."""
        return word in self.ordinary or (self.english is not None and self.english.knows(word))

    def is_english(self, word: str) -> bool:
        """Whether the word is English, listed or not."""
        return self.english is not None and self.english.knows(word)

    def may_hide(self, word: str) -> bool:
        """Whether the word may be read out of a disguise."""
        if word in self.words or word in self._spoken:
            return True
        return self.english is not None and self.english.may_hide(word)

    def holds_together(self, word: str) -> bool:
        """Whether the word is one of those that hold a sentence together."""
        return self.english is not None and word in self.english.function

    def likeliest(self, words: Iterable[str]) -> str | None:
        """The most frequent one of the words that may be read out of a disguise; None if none may."""
        found = [word for word in words if self.may_hide(word)]
        return min(
            found,
            key=lambda word: (not self.is_english(word), self._surprise.get(word, inf)),
            default=None,
        )

    def cut(self, letters: str) -> list[str] | None:
        """The likeliest words that stand together without spaces; None if words do not cover the letters.

        At most `LONGEST` look-ups a letter.
        """
        ends: list[tuple[float, int]] = [(0.0, 0)] + [(inf, 0)] * len(
            letters
        )  # cost, where the last word starts
        surprise = self._surprise
        for start in range(len(letters)):
            so_far = ends[start][0] + _WORD_COST
            if so_far == inf:
                continue
            for end in range(start + 1, min(start + LONGEST, len(letters)) + 1):
                cost = surprise.get(letters[start:end])
                if cost is not None and so_far + cost < ends[end][0]:
                    ends[end] = so_far + cost, start
        if ends[-1][0] == inf:
            return None
        together = self.english.said_together if self.english is not None else {}
        words: list[str] = []
        end = len(letters)
        while end:
            start = ends[end][1]
            piece = letters[start:end]
            words += reversed(together.get(piece, (piece,)))
            end = start
        words.reverse()
        return words

    def stretched(self, word: str) -> str | None:
        """The word that was stretched to this one: no run of equal letters is shorter than its own."""
        for known in self._squeezed.get(squeeze(word), ()):
            if all(here >= there for here, there in zip(_runs(word), _runs(known), strict=True)):
                return known
        return None


def _is_two(word: str, english: English | None) -> bool:
    """Whether a listed word is two that lack their space ("killyourself"): the text is given it back."""
    return english is not None and any(
        word[:cut] in english.words and word[cut:] in english.function
        for cut in range(_SHORTEST_OF_TWO, len(word) - _SHORTEST_SECOND_OF_TWO + 1)
    )


def _runs(word: str) -> list[int]:
    runs = [1]
    for before, letter in pairwise(word):
        if letter == before:
            runs[-1] += 1
        else:
            runs.append(1)
    return runs


def _surprise(
    listed: Iterable[str], spoken: Iterable[str], fillers: Iterable[str], english: English | None
) -> Mapping[str, float]:
    """Minus the logarithm of each word's frequency, but for a constant."""
    if english is None:
        return {}
    surprise = {**dict.fromkeys(spoken, _SPOKEN_SURPRISE), **english.surprise}
    surprise |= dict.fromkeys(fillers, _FILLER_SURPRISE)
    for word in listed:
        surprise.setdefault(f"{word}s", _SPOKEN_SURPRISE)
        surprise[word] = min(surprise.get(word, inf), _LISTED_SURPRISE)
    return surprise


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
