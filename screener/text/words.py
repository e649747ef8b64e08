"""One word at a time: the letters that a chunk of letters, digits and symbols stands for."""

from __future__ import annotations

import re

_MENTION = r"(?<![\w@])@[\w.]*\w"
TOKEN = re.compile(rf"{_MENTION}|(?:[^\W_]|[@$!*'€£¢©®])+")
"""A mention, or what may be a word: letters, digits, and the symbols that stand for letters inside a word."""

ASCII_TOKEN = re.compile(rf"{_MENTION}|[a-z0-9@$!*']+")
"""The same for ASCII text, and faster."""

_LEET = str.maketrans("0134578@$!9€£¢©®", "oieastbasigelccr")
_LEET_CHARACTERS = frozenset("0134578@$!9€£¢©®")
# Numbers with a unit or an ordinal ("2nd", "100k", "5mins"), names with a number ("b4", "ps5", "covid19",
# "h264"), letters that stand for sounds ("2day", "gr8"): written so by everybody, and no disguise.
ORDINARY = re.compile(
    r"[$€£]?\d+(?:st|nd|rd|th|k|m|mm|b|bn|t|x|s|h|d|p|c|f|v|w|l|g|am|pm|hrs?|mins?|secs?|yrs?|yo|kg|lbs?|cm|km|ft|"
    r"in|oz|ml|[kmgt]b|fps|g?hz|mhz|px|ish)?|[a-z]\d+|[a-z]{3,}\d{2,}|[a-z]{2,}\d|[248][a-z]{3,}|\d+"
)
"""What everybody writes with digits, in lower case."""

_HAS_LETTER = re.compile(r"[^\W\d_]")
_BETWEEN_BANGS = re.compile(r"[^!]+")
# "it's" is a word of its own; of "idiot's" the word is "idiot".
_CONTRACTED = frozenset(
    ["it", "that", "he", "she", "what", "who", "there", "here", "let", "how", "where", "when", "one"]
)
_TRIPLE = re.compile(r"(.)\1{2,}")
THREE = re.compile(r"(.)\1\1")
"""The same character three times."""


def has_repeats(text: str) -> bool:
    """Whether some character stands three times in a row or more."""
    return THREE.search(text) is not None


def cut_repeats(word: str) -> str:
    """Runs of three or more equal characters cut to two: no English word has three."""
    return _TRIPLE.sub(r"\1\1", word)


def trim(chunk: str) -> tuple[str, int]:
    """The chunk without the punctuation around it and a possessive ending, and what its left side lost."""
    bare = chunk.lstrip("'!*")
    left = len(chunk) - len(bare)
    bare = bare.rstrip("'!@")
    if bare.endswith("*") and (chunk[0] == "*" or not bare.endswith("**")):
        bare = bare.rstrip("*'!")  # emphasis *like this*, or a correction*; "sh**" keeps its mask
    if bare.endswith("'s") and bare[:-2] not in _CONTRACTED:
        bare = bare[:-2]
    return bare, left


def decode(word: str) -> str:
    """The letters that a trimmed word stands for; the word itself where it is none in disguise.

    Digits and symbols are read as letters only in words that have letters too and are not ordinary writing.
    A masking `*` is kept.
    """
    if _LEET_CHARACTERS.isdisjoint(word) or not _HAS_LETTER.search(word) or ORDINARY.fullmatch(word):
        return word
    return word.translate(_LEET)


def parts(chunk: str) -> list[tuple[str, int]]:
    """The chunk cut where exclamation marks stand inside it, each part with its offset."""
    return [(match.group(), match.start()) for match in _BETWEEN_BANGS.finditer(chunk)]
