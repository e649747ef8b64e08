"""Latin letters in another dress (𝗯𝗼𝗹𝗱, ｗｉｄｅ, ⓒⓘⓡⓒⓛⓔⓓ) put back, and junk that cannot be seen dropped.

Accents, emoji, flags, single symbols and other scripts stay as they are. The characters are looked at by
kind: a string with one letter for each of them, in which regular expressions find what belongs together.
"""

from __future__ import annotations

import re
import unicodedata

from screener.text.draft import Draft, Edit
from screener.text.letters import EMOJI_LETTERS, FOLDING, REGIONAL_INDICATORS, is_enclosed, is_unassigned
from screener.text.vocabulary import Vocabulary

_OTHER, _SIGN, _LATIN, _SPACE, _INVISIBLE, _MARK, _OVERLAY = ".xa imo"
_STYLED, _WIDE_LETTER, _WIDE_SIGN, _FLAG_LETTER, _EMOJI = "swvfe"

_EASTERN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_WIDE = range(0xFF01, 0xFF5F)
_OVERLAYS = frozenset([*range(0x334, 0x339), *range(0x20D0, 0x20F1), 0x488, 0x489])
_CHUNK = re.compile(r"[^ ]+")
_STANDING_SINGLY = re.compile(r"(?<![^ ])s[imo]*(?: +s[imo]*){2,}(?![^ ])")
_FLAGS = re.compile("f+")
_EMOJI_IN_WORD = re.compile("(?<=[asx])(?:ei?)+(?=[asx])")
_UNSEEN = re.compile("(?<=[ax])[imo]+|(?<![^ ])i+(?=[ax])")
_MOST_MARKS = 2
"""Combining marks that a letter may have: Vietnamese takes apart into two."""

_LETTERING = 3
"""From how many wide letters on they are no symbols."""


class _Kinds(dict[str, str]):
    """The kind of each character, remembered: there are only so many."""

    def __missing__(self, character: str) -> str:
        if is_unassigned(character):
            return _OTHER
        kind = self[character] = _kind(character)
        return kind


def _kind(character: str) -> str:
    if character.isspace():
        return _SPACE
    if character.isascii():
        return _LATIN if character.isalpha() else _SIGN
    if not FOLDING[character]:
        return _kind_of_unseen(character)
    if REGIONAL_INDICATORS[0] <= character <= REGIONAL_INDICATORS[1]:
        return _FLAG_LETTER
    return _EMOJI if character in EMOJI_LETTERS else _kind_of_letter(character)


def _kind_of_unseen(character: str) -> str:
    if ord(character) in _OVERLAYS:
        return _OVERLAY
    is_selector = "\ufe00" <= character <= "\ufe0f" or character == "\u034f"
    return _MARK if unicodedata.combining(character) and not is_selector else _INVISIBLE


def _kind_of_letter(character: str) -> str:
    folded = FOLDING[character]
    is_latin = folded.isascii() and folded.isalpha()
    if ord(character) in _WIDE:
        return _WIDE_LETTER if is_latin else _WIDE_SIGN
    if is_enclosed(character):
        return _STYLED
    if not is_latin or not character.isalpha():
        return _OTHER
    return _STYLED if unicodedata.decomposition(character).startswith("<") else _LATIN


_KINDS = _Kinds()


def unstyle(draft: Draft, vocabulary: Vocabulary) -> None:
    """Put dressed letters back and drop what cannot be seen; linear in the length."""
    text = draft.text
    kinds = "".join(map(_KINDS.__getitem__, text))
    if not set(kinds).difference((_OTHER, _SIGN, _LATIN, _SPACE)):
        return
    dressed = _dressed(text, kinds, vocabulary)
    kinds = "".join(_LATIN if place in dressed else kind for place, kind in enumerate(kinds))
    edits = [Edit(place, place + 1, _undressed(text[place]), hidden=True) for place in dressed]
    edits += [Edit(place, place + 1, "", hidden=True) for place in _junk(kinds)]
    draft.apply(sorted(edits, key=lambda edit: edit.start))


def _undressed(character: str) -> str:
    return EMOJI_LETTERS.get(character) or FOLDING[character]


def _dressed(text: str, kinds: str, vocabulary: Vocabulary) -> set[int]:
    """The places of letters in another dress."""
    kinds = _FLAGS.sub(lambda match: _flags_or_letters(text[slice(*match.span())], vocabulary), kinds)
    places: set[int] = set()
    if kinds.count(_WIDE_LETTER) >= _LETTERING and not _EASTERN.search(text):
        places.update(place for place, kind in enumerate(kinds) if kind in {_WIDE_LETTER, _WIDE_SIGN})
    spans = [match.span() for match in _EMOJI_IN_WORD.finditer(kinds)]
    places.update(place for span in spans for place in range(*span) if kinds[place] == _EMOJI)
    if _STYLED not in kinds:
        return places
    spans = [match.span() for match in _STANDING_SINGLY.finditer(kinds)]
    for match in _CHUNK.finditer(kinds):
        styled = match.group().count(_STYLED)
        if styled > 1 or (styled and _LATIN in match.group()):
            spans.append(match.span())
    places.update(place for span in spans for place in range(*span) if kinds[place] == _STYLED)
    return places


def _flags_or_letters(letters: str, vocabulary: Vocabulary) -> str:
    """What a run of letters that make flags in pairs is: flags, if they are pairs and spell nothing known."""
    word = "".join(FOLDING[letter] for letter in letters)
    is_word = len(word) > 2 and vocabulary.may_hide(word)
    return (_STYLED if is_word or len(word) % 2 else _OTHER) * len(word)


def _junk(kinds: str) -> list[int]:
    """The places of invisible characters and piled marks in Latin words."""
    places: list[int] = []
    for chunk in _CHUNK.finditer(kinds):
        if _LATIN not in chunk.group():
            continue
        for match in _UNSEEN.finditer(kinds, *chunk.span()):
            run = match.group()
            piled = _OVERLAY in run or run.count(_MARK) > _MOST_MARKS
            places += [place for place in range(*match.span()) if piled or kinds[place] == _INVISIBLE]
    return places
