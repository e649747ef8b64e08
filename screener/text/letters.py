"""Single characters: what each becomes before words are looked at.

`fold_character` does what Unicode knows (compatibility forms, case, accents, invisible characters) and what
it does not (enclosed letters that serve as emoji, small capitals, strokes). `CONFUSABLE` holds letters of
other scripts that look like Latin ones; whether a word is disguised or simply Russian is decided by
`screener.text.fold`, for one character cannot tell.
"""

from __future__ import annotations

import unicodedata

SMALL_CAPITALS = dict(
    zip("ɑɡɪɩʏɴʀʟʜɢʙᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜰꜱɐǝɹʇʌʍʎɯ", "agiiynrlhgbacdejkmoptuvwzfsaertvwym", strict=True)
)
"""Phonetic letters that serve as small capitals or turned letters: no language is written with them."""

_LATIN = {**SMALL_CAPITALS, **dict(zip("øłđħŧıȷəɔßæœþðƒ", "oldhtijecsaotdf", strict=True))}
_PUNCTUATION = {**dict.fromkeys("’‘ʼʻ′´`＇", "'"), **dict.fromkeys("‐‑‒–—―−﹣", "-"), "\u2800": " "}
_INVISIBLE = dict.fromkeys("\u115f\u1160\u3164\uffa0\u034f", "")
_SPACES = dict.fromkeys("\t\n\r\v\f\x85\u2028\u2029", " ")
_SPECIAL = {**_LATIN, **_PUNCTUATION, **_INVISIBLE, **_SPACES}

# Where runs of 26 enclosed letters begin that NFKC leaves alone or takes apart into "(a)".
_ENCLOSED = (0x249C, 0x1F110, 0x1F130, 0x1F150, 0x1F170, 0x1F1E6)
_CIRCLED = ("\u24b6", "\u24e9")

_CYRILLIC = dict(zip("авгекмнопрстухьіјѕһӏԁԛԝүѵґ", "abrekmhonpctyxbijshldqwyvr", strict=True))
_GREEK = dict(zip("αβγεζηθικμνοπρστυχω", "abyeznoikuvonpotuxw", strict=True))
_ARMENIAN = dict(zip("օսհոցյզ", "ouhngjq", strict=True))
_CHEROKEE = dict(zip("ᎪᎬᎻᎥᏦᏞᎷᏢᏚᎢᏙᎳᏃᏟᏴᎠᏀᎫᎡᏒ", "aehiklmpstvwzcbdgjer", strict=True))
CONFUSABLE: dict[str, str] = {**_CYRILLIC, **_GREEK, **_ARMENIAN, **_CHEROKEE}
"""Lower-case letters of other scripts, and the Latin letter that each looks like."""

GREEK_CAPITALS = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abezhikmnoptyx", strict=True))
"""Capitals that look like other Latin letters than their small forms do."""

RESEMBLING = dict(zip("яишщцчзлдьъэёжфбюσδλψφξς", "rnwwuy3nabbeexo6i0ohyoes", strict=True))
"""Letters that resemble Latin ones from afar: enough in a word that is known and otherwise Latin."""

_LONGEST = 4
"""Some characters stand for whole sentences (U+FDFA: 18 letters); more than this would let a text swell."""

REGIONAL_INDICATORS = ("\U0001f1e6", "\U0001f1ff")
"""First and last of the letters that make flags in pairs."""


def fold_character(character: str) -> str:
    """The lower-case, accent-free form of one character: usually one character, sometimes none or several."""
    special = _SPECIAL.get(character)
    if special is not None:
        return special
    first = _first_of_enclosed(character)
    if first is not None:
        return chr(ord("a") + ord(character) - first)
    category = unicodedata.category(character)
    if category in {"Cc", "Cf", "Cs", "Mn", "Me"}:
        return ""
    if category == "Zs":
        return " "
    plain = "".join(
        part
        for part in unicodedata.normalize("NFKD", character).casefold()
        if not unicodedata.combining(part)
    )
    return "".join(_SPECIAL.get(part, part) for part in plain)[:_LONGEST]


EMOJI_LETTERS = dict(zip("💲❗❕⭕❌➕♏⛎", "$!!oxtmu", strict=True))
"""Emoji that stand for letters inside a word."""


def is_enclosed(character: str) -> bool:
    """Whether this is a letter in brackets, a circle or a square."""
    return _first_of_enclosed(character) is not None or _CIRCLED[0] <= character <= _CIRCLED[1]


def _first_of_enclosed(character: str) -> int | None:
    code = ord(character)
    return next((first for first in _ENCLOSED if first <= code < first + 26), None)


def is_unassigned(character: str) -> bool:
    """Whether no character stands at this code point, or one that is everybody's own.

    There are a million of them, and they are never remembered: whoever sent them all would fill the memory.
    """
    return unicodedata.category(character) in {"Cn", "Co"}


class Folding(dict[str, str]):
    """`fold_character`, remembered: there are only so many characters, so it needs no bound."""

    def __missing__(self, character: str) -> str:
        if is_unassigned(character):
            return character
        folded = self[character] = fold_character(character)
        return folded


FOLDING = Folding()
