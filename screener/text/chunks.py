"""The parts of a text between spaces, and which of them are no plain words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from screener.text.kinds import ADDRESS, ALONE, LETTERS, MARKED, PLAIN, SINGLE
from screener.text.links import find_emails, find_links
from screener.text.vocabulary import Vocabulary

_CHUNK = re.compile(r"\S+")
_SPELLED = re.compile(r"[^\W_][\W_]{1,3}[^\W_][\W_]{1,3}[^\W_](?![^\W_])")
_UNKNOWN = frozenset((LETTERS, MARKED, ADDRESS))
_MOST_ALONE = 2
"""Characters that stand alone, words or not, that spell nothing together."""


@dataclass(frozen=True, slots=True)
class Chunks:
    """A text's chunks.

    Attributes:
        spans: where each stands; empty where nothing below is to be looked at.
        unknown: the indices of those that are no plain words, numbers, links or addresses.
        singles: the indices of single letters that are no words.
        may_be_spelled: whether letters may stand singly, with spaces or marks between.
    """

    spans: Sequence[tuple[int, int]]
    unknown: Sequence[int]
    singles: Sequence[int]
    may_be_spelled: bool

    @property
    def are_plain(self) -> bool:
        """Whether there is nothing to look at."""
        return not (self.unknown or self.singles or self.may_be_spelled)


_NOTHING = Chunks((), (), (), may_be_spelled=False)


def chunks_of(text: str, vocabulary: Vocabulary) -> Chunks:
    """The chunks; linear in the length."""
    kinds = "".join(map(vocabulary.kinds.__getitem__, text.lower().split()))
    alone = kinds.count(ALONE) + kinds.count(SINGLE)
    if kinds.count(PLAIN) + kinds.count(ALONE) == len(kinds) and alone <= _MOST_ALONE:
        return _NOTHING
    spans = spans_of(text)
    unknown = [index for index, kind in enumerate(kinds) if kind in _UNKNOWN]
    if ADDRESS in kinds:
        unknown = _without_addresses(text, spans, unknown)
    return Chunks(
        spans,
        unknown,
        singles=[index for index, kind in enumerate(kinds) if kind == SINGLE],
        may_be_spelled=alone > _MOST_ALONE
        or any(_SPELLED.search(text, *spans[index]) for index in unknown if kinds[index] != LETTERS),
    )


def spans_of(text: str) -> list[tuple[int, int]]:
    """Where the chunks stand."""
    return [match.span() for match in _CHUNK.finditer(text)]


def _without_addresses(text: str, spans: Sequence[tuple[int, int]], unknown: list[int]) -> list[int]:
    """The indices without those of chunks that hold a link or an e-mail address."""
    low = text.lower()
    if len(low) != len(text):
        return unknown  # a Turkish capital moves the places: rather a link read as words than words as a link
    apart = sorted([*((link.start, link.end) for link in find_links(low)), *find_emails(low)])
    if not apart:
        return unknown
    left = []
    passed = 0
    for index in unknown:
        start, end = spans[index]
        while passed < len(apart) and apart[passed][1] <= start:
            passed += 1
        if passed == len(apart) or apart[passed][0] >= end:
            left.append(index)
    return left
