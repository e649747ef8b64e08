"""Content into plain lower-case letters, with the way back to each character's place."""

from __future__ import annotations

import re
from typing import NamedTuple

from screener.text.letters import CONFUSABLE, FOLDING, REGIONAL_INDICATORS

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_FOREIGN = re.compile(f"[{''.join(CONFUSABLE)}]")
_FOREIGN_WORD = re.compile(r"[^\W\d_]+")
_LATIN_LETTER = re.compile("[a-z]")
_TO_LATIN = str.maketrans(CONFUSABLE)
# Two of them are a flag, which is no word; any other number of them is lettering.
_FLAG = re.compile("(?<![{0}-{1}])[{0}-{1}]{{2}}(?![{0}-{1}])".format(*REGIONAL_INDICATORS))


class Folded(NamedTuple):
    """Folded text.

    Attributes:
        text: lower case, without accents, invisible characters and look-alike letters.
        origin: for each character of `text` its place in the content; None where the places are the same.
    """

    text: str
    origin: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]`, which must not be empty, stands in the content."""
        if self.origin is None:
            return start, end
        return self.origin[start], self.origin[end - 1] + 1


def fold(content: str) -> Folded:
    """Fold any content; time grows linearly with its length."""
    if content.isascii() and (content.isprintable() or not _CONTROL.search(content)):
        return Folded(content.lower(), None)
    if _FLAG.search(content):
        content = _FLAG.sub("  ", content)
    pieces = [FOLDING[character] for character in content]
    text = "".join(pieces)
    origin = None
    if len(text) != len(pieces) or "" in pieces:
        origin = [place for place, piece in enumerate(pieces) for _ in piece]
    if _FOREIGN.search(text):
        text = _without_lookalikes(text)
    return Folded(text, origin)


def fold_letters(content: str) -> str:
    """The folded text with the letters of other scripts as they are: how a phrase in such a script reads."""
    return "".join(FOLDING[character] for character in content)


def _without_lookalikes(text: str) -> str:
    """Replace letters of other scripts that stand for Latin ones; keep real words of another script.

    A word that mixes scripts is disguised. A word all of look-alikes ("сор") is disguised too, unless the
    text holds a word that cannot be Latin ("привет"): then it is simply written in that script.
    """
    genuine = False
    mixed: list[tuple[int, int]] = []
    whole: list[tuple[int, int]] = []
    for match in _FOREIGN_WORD.finditer(text):
        word = match.group()
        if word.isascii():
            continue
        if _LATIN_LETTER.search(word):
            mixed.append(match.span())
        elif all(letter in CONFUSABLE for letter in word):
            whole.append(match.span())
        else:
            genuine = True
    characters = list(text)
    for start, end in mixed if genuine else mixed + whole:
        characters[start:end] = text[start:end].translate(_TO_LATIN)
    return "".join(characters)
