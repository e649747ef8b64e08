"""Text turned upside down (ʇxǝʇ), which is read from its end."""

from __future__ import annotations

import re

from screener.text.draft import Draft, Edit
from screener.text.kinds import EDGES
from screener.text.vocabulary import Vocabulary

_TURNED_ONLY = dict(
    zip("ɐɔǝɟƃᵷɥᴉɾʞןɯɹʇʌʍʎ∀ƆƎℲפ⅁ſ˥Ԁᴚ┴∩⅄˙¡¿", "acefgghijklmrtvwyacefggjlprtuy.!?", strict=True)
)
_TURNED = _TURNED_ONLY | dict(zip("qbpdunoslxzıiMWHNSXZO',-", "bqdpnuoslxziiwmhnsxzo,'-", strict=True))
_MARKER = re.compile("[{}]".format("".join(_TURNED_ONLY)))
_CHUNK = re.compile(r"\S+")
_LEAST_MARKERS = 2


def turn_back(draft: Draft, vocabulary: Vocabulary) -> None:
    """Turn the stretch from the first to the last turned word back, if it has more known words then."""
    if len(_MARKER.findall(draft.text)) < _LEAST_MARKERS:
        return
    chunks = list(_CHUNK.finditer(draft.text))
    turned = [_is_turned(match.group()) for match in chunks]
    if True not in turned:
        return
    first, last = turned.index(True), len(turned) - 1 - turned[::-1].index(True)
    while first and _could_be_turned(chunks[first - 1].group()):
        first -= 1
    while last + 1 < len(chunks) and _could_be_turned(chunks[last + 1].group()):
        last += 1
    start, end = chunks[first].start(), chunks[last].end()
    stretch = draft.text[start:end]
    upright = "".join(_TURNED.get(character, character) for character in reversed(stretch))
    if _known(upright, vocabulary) > _known(stretch, vocabulary):
        draft.apply([Edit(start, end, upright, hidden=True)])


def _is_turned(chunk: str) -> bool:
    return _could_be_turned(chunk) and _MARKER.search(chunk) is not None


def _could_be_turned(chunk: str) -> bool:
    return all(character in _TURNED or not character.isalpha() for character in chunk)


def _known(text: str, vocabulary: Vocabulary) -> int:
    """How many of the words are known."""
    return sum(vocabulary.is_word(chunk.lower().strip(EDGES)) for chunk in text.split())
