"""Tokens with digits, symbols or marks in them, and the word that they spell."""

from __future__ import annotations

import re
from collections.abc import Sequence

from screener.text import leet
from screener.text.joined import sentence
from screener.text.resolve import Found, resolve
from screener.text.vocabulary import Vocabulary
from screener.text.words import ORDINARY

# What may stand between the letters of a word to break it; brackets and apostrophes have their own use there.
_BREAKS = re.compile(r"[.\-_*~|,/\\:;^=+#•·…]+")
_MASKED_VOWEL = re.compile(r"([a-z]+)\*([a-z]+)")
_MASKS = re.compile(r"[*#]")
# Names and numbers that are written with digits inside: "1v1", "l10n".
_NUMBERED = re.compile(r"\d{1,2}[a-z]\d{1,2}|[a-z]1\d[a-z]")
_WORD_AND_NUMBER = re.compile(r"([a-z]{3,})\d+")
_SOUNDS = re.compile(r"[248][a-z]{3,}")
_TICKER = re.compile(r"\$[a-z]{2,5}")
_PREFIXES = frozenset(
    [
        "anti", "bi", "co", "de", "ex", "in", "inter", "micro", "mid", "mini", "mis", "multi", "non",
        "pre", "pro", "re", "semi", "sub", "tri", "ultra", "un", "uni",
    ]
)  # fmt: skip
_SUFFIXES = frozenset(["ish", "esque", "ness", "ed", "er", "ing", "th", "nd", "st"])
_SHORTEST = 4
_LONGEST = 64
"""Characters of a token that may be one word, with marks between its letters."""

_SECOND_LOOKS = 2
_MOST_MASKED = 2
"""Letters that a mask may stand for; more of them could be of any word."""


def decipher(token: str, vocabulary: Vocabulary) -> Found | None:
    """The word that an unknown lower-case token spells; None for names, numbers and quantities."""
    if len(token) > _LONGEST:
        return None
    masked = _unmasked(token, vocabulary)
    if masked is not None:
        return Found(masked, hidden=False)  # who masks a word is polite
    bare = _BREAKS.sub("", token)
    if bare != token and bare.isalpha():
        parts = [part for part in _BREAKS.split(token) if part]
        hidden = not all(map(vocabulary.is_word, parts))  # "ass-hole" is a spelling
        found = _joined(token, bare, parts, vocabulary)
        if found is not None:
            return Found(found, hidden=hidden)
    return _decoded(token, vocabulary) or (_decoded(bare, vocabulary) if bare != token else None)


def decipher_boldly(token: str, vocabulary: Vocabulary) -> str | None:
    """The word that a token spells in a text that spells with digits: short words and numbers too."""
    if len(token) > _LONGEST or leet.CHARACTERS.isdisjoint(token) or not _is_leet(token):
        return None
    readings = [letters for letters in leet.readings(token) if letters.isalpha()]
    if not any(map(str.isalpha, token)) and 1 < len(token) < _SHORTEST:
        return None
    return vocabulary.likeliest(readings)


def _joined(token: str, bare: str, parts: Sequence[str], vocabulary: Vocabulary) -> str | None:
    """The word that marks break: its parts are no words, or the whole is one that somebody would break."""
    if bare in vocabulary.words:
        return bare if len(bare) >= _SHORTEST or len(parts) == len(bare) else None
    if len(bare) < _SHORTEST or ("-" in token and _is_compound(parts)):
        return None  # "a.m."
    if all(map(vocabulary.is_word, parts)):
        return None
    if vocabulary.may_hide(bare):
        return bare
    found = resolve(bare, vocabulary)
    return None if found is None else found.word


def _is_compound(parts: Sequence[str]) -> bool:
    """Whether parts are joined as English joins them: "e-mail", "co-op", "plan-b", "baby-ish"."""
    alone = len(parts) == 2 and 1 in map(len, parts)
    return alone or parts[0] in _PREFIXES or parts[-1] in _SUFFIXES


def _unmasked(token: str, vocabulary: Vocabulary) -> str | None:
    """The listed word with some letters under a mask, or the likeliest word with one vowel under it."""
    if _MASKS.search(token) is None:
        return None
    match = _MASKED_VOWEL.fullmatch(token)
    words = [] if match is None else [match[1] + vowel + match[2] for vowel in "aeiou"]
    words = [word for word in words if word in vocabulary.ordinary]
    alias = vocabulary.aliases.get(_MASKS.sub("*", token))
    if alias is not None and len(alias) <= len(token) + _MOST_MASKED:
        words.append(alias)
    return vocabulary.likeliest([word for word in words if word in vocabulary.words] or words)


def _decoded(token: str, vocabulary: Vocabulary) -> Found | None:
    """The word that digits and symbols for letters spell."""
    if leet.CHARACTERS.isdisjoint(token) or not any(map(str.isalpha, token)) or not _is_leet(token):
        return None
    named = _is_named(token, vocabulary)
    readings = [letters for letters in leet.readings(token) if letters.isalpha()]
    for letters in readings:
        if letters in vocabulary.words and (not named or len(letters) >= _SHORTEST):
            return Found(letters, hidden=True)
    if named:
        return None
    for letters in readings:
        if vocabulary.may_hide(letters):
            return Found(letters, hidden=True)
    for letters in readings[:_SECOND_LOOKS]:
        found = resolve(letters, vocabulary)
        words = [found.word] if found is not None else sentence(letters, vocabulary)
        if words:
            return Found(" ".join(words), hidden=True)
    return None


def _is_leet(token: str) -> bool:
    return all(character.isalpha() or character in leet.CHARACTERS for character in token)


def _is_named(token: str, vocabulary: Vocabulary) -> bool:
    """Whether names, numbers and quantities are written so: "area51", "mp3", "10am", "$btc"."""
    if _NUMBERED.fullmatch(token) or _TICKER.fullmatch(token):
        return True
    numbered = _WORD_AND_NUMBER.fullmatch(token)
    if numbered is not None:
        return vocabulary.is_word(numbered[1])
    return ORDINARY.fullmatch(token) is not None and _SOUNDS.fullmatch(token) is None
