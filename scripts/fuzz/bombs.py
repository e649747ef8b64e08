"""Texts that are meant to be slow: for every rule and step what it has most work with, repeated.

`text(name, characters)` makes one of any length, so that the growth of the time can be measured.
"""

from __future__ import annotations

PIECES = {
    # one character or two, again and again
    "one letter": "a",
    "one capital": "A",
    "spaces": " ",
    "digits": "1",
    "Arabic digits": "١",
    "dots": ".",
    "at signs": "@",
    "exclamation marks": "!",
    "question marks": "?!",
    "apostrophes": "'",
    "asterisks": "*",
    "double quotes": '"',
    "hyphens": "-",
    "underscores": "_",
    "brackets": "(",
    "line feeds": "\n",
    # digits, symbols and numbers
    "letters and digits": "1a",
    "leet words": "1d1ot ",
    "leet of many readings": "q1!|5$6",
    "leet in one word": "1l",
    "amounts": "$5 win ",
    "telephone numbers": "+1 555 010 9999 ",
    "nearly telephone numbers": "(0)-1 ",
    "ordinary numbers": "2nd 100k ",
    # links, addresses, mentions
    "links": "a.com ",
    "links in capitals": "A.COM ",
    "links with paths": "https://a.b/c ",
    "nearly links": "http://",
    "hosts of many labels": "www.a.a.a.a.a.a.a.a.a.a.a.a ",
    "hosts without an end": "a.b-",
    "addresses": "a@b.co ",
    "nearly addresses": "a@a.",
    "mentions": "@a ",
    "mentions of dots": "@. ",
    # words
    "stretched words": "fuuuck ",
    "many runs": "aaab",
    "masked words": "f**k ",
    "spelled words": "k i l l ",
    "spelled with dots": "k.i.l.l ",
    "spelled without an end": "a ",
    "broken words": "s hi t ",
    "words without spaces": "youarean",
    "a sentence without spaces": "iloveyou",
    "words between marks": "a!a! ",
    "possessives": "idiot's ",
    "insults": "you are an idiot ",
    "threats": "i will fucking kill you ",
    "beginnings of phrases": "i will ",
    "offers": "check out my channel ",
    "quotations": '"a b" ',
    "insults after quotations": 'you idiot "',
    "quoted insults": '"you idiot" ',
    # other scripts, other dress, nothing to see
    "mixed scripts": "іd",
    "look-alikes": "с",
    "look-alikes and a foreign word": "ко т ",
    "alternating confusables": "aаoо",
    "zalgo": "a\u0301\u0302\u0303\u0304",
    "marks alone": "\u0301",
    "zero-width characters": "a\u200b",
    "zero-width alone": "\u200b",
    "flags": "🇦 ",
    "letters of flags": "🇦",
    "enclosed letters": "🅰",
    "enclosed and invisible": "🅰\u200b",
    "wide letters": "ｗ",
    "mathematical letters": "𝗧",
    "turned letters": "ʇı ",
    "emoji": "😀",
    "emoji in words": "😀a",
    "weapons": "🔪 you ",
    "joined emoji": "👨\u200d👩",
    "ligatures of many letters": "ﷺ",
    "capitals that grow": "İ",
    "Hangul": "한",
    "Chinese": "你",
    "unassigned characters": "\U000e1234",
    "characters of one's own": "a\ue000",
}
ENDINGS = {
    # what comes once, at the end, after as many of the pieces as there is room for
    "quotations, then quoted insults": ('"a b" ', '"you idiot moron asshole" '),
    "letters, then a mark": ("a", "!"),
    "a run, then a letter": ("a.", "b"),
}
NAMES = (*PIECES, *ENDINGS)


def text(name: str, characters: int) -> str:
    """The text of that name and length."""
    if name in PIECES:
        piece = PIECES[name]
        return (piece * (characters // len(piece) + 1))[:characters]
    piece, ending = ENDINGS[name]
    endings = ending if len(ending) == 1 else ending * (characters // (2 * len(ending)))
    return ((piece * characters)[: characters - len(endings)] + endings)[:characters]
