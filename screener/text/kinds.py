"""What a part of a text between spaces is, in one letter: a word or number, a character, or unknown."""

from __future__ import annotations

import re

EDGES = "\"'“”‘’.,;:?!()[]{}<>*_~-…/\\|`^=+#&%"
"""What stands around words."""

# Letters that are words by themselves ("u r a", "it s"): never the broken-off end of a word.
WORDLIKE_LETTERS = frozenset("aiursmtdx")

PLAIN, ALONE, SINGLE, LETTERS, MARKED, ADDRESS = ".aslm@"
"""A word or a number; one character; one letter that is no word; unknown letters; unknown with other
characters; with those that addresses have."""

_NUMBER = re.compile(r"[\W\d_]*")
_DOTTED_CAPITAL = "\u0130".lower()  # the one character that two come of
_MOST = 32_768
_LONGEST = 24


class Kinds(dict[str, str]):
    """The kind of each lower-case chunk, remembered: most of what people write, they write all the time.

    One look-up tells what would take several, and `map` makes it without a step in Python.
    """

    def __init__(self, ordinary: frozenset[str]) -> None:
        """`ordinary`: words that need no second look."""
        super().__init__()
        self._ordinary = ordinary

    def __missing__(self, chunk: str) -> str:
        kind = self._kind(chunk)
        if len(chunk) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[chunk] = kind
        return kind

    def _kind(self, chunk: str) -> str:
        if len(chunk) == 1 or chunk == _DOTTED_CAPITAL:
            return SINGLE if chunk not in WORDLIKE_LETTERS and chunk.isalpha() else ALONE
        if chunk in self._ordinary or chunk.strip(EDGES) in self._ordinary:
            return PLAIN
        if chunk.isalpha():
            return LETTERS
        if _NUMBER.fullmatch(chunk):
            return PLAIN
        return ADDRESS if "." in chunk or "@" in chunk else MARKED
