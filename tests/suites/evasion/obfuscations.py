"""What people do to words so that a filter does not see them. Each takes a text and a source of chance."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from random import Random
from string import ascii_lowercase

Obfuscation = Callable[[str, Random], str]

LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$"}
HEAVY = {**{letter: marks[0] for letter, marks in LEET.items()}, "t": "7", "b": "8", "g": "9", "l": "1"}
CYRILLIC = dict(zip("aceikopsxybhmtABCEHKMOPTX", "асеікорѕхуьһмтАВСЕНКМОРТХ", strict=True))
GREEK = dict(zip("aeioptuvxykABEHIKMNOPTXYZ", "αειορτυνχγκΑΒΕΗΙΚΜΝΟΡΤΧΥΖ", strict=True))
SMALL_CAPITALS = dict(zip(ascii_lowercase, "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡxʏᴢ", strict=True))
UPSIDE_DOWN = dict(zip(f"{ascii_lowercase}.,!?'", "ɐqɔpǝɟƃɥᴉɾʞlɯuodbɹsʇnʌʍxʎz˙'¡¿,", strict=True))
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
ACCENTS = "\u0300\u0301\u0302\u0308\u030a\u0327"
PILED = [chr(code) for code in range(0x0300, 0x0370)]
MARKS = ".-_*~|"


def leet_light(text: str, chance: Random) -> str:
    """One or two letters as the digits or symbols that they resemble."""
    places = [place for place, letter in enumerate(text) if letter.lower() in LEET]
    letters = list(text)
    for place in chance.sample(places, min(len(places), 2)):
        letters[place] = chance.choice(LEET[letters[place].lower()])
    return "".join(letters)


def leet_half(text: str, chance: Random) -> str:
    """About half of the letters that have a digit or symbol."""
    return "".join(
        chance.choice(LEET[letter.lower()]) if letter.lower() in LEET and chance.random() < 0.5 else letter
        for letter in text
    )


def leet_heavy(text: str, _chance: Random) -> str:
    """Every letter that has a digit."""
    return "".join(HEAVY.get(letter.lower(), letter) for letter in text)


def cyrillic(text: str, _chance: Random) -> str:
    """Every letter that has a double in Cyrillic."""
    return "".join(CYRILLIC.get(letter, letter) for letter in text)


def greek(text: str, _chance: Random) -> str:
    """Every letter that has a double in Greek."""
    return "".join(GREEK.get(letter, letter) for letter in text)


def mathematical(text: str, chance: Random) -> str:
    """Letters of an alphabet for formulas: bold, bold script, bold fraktur, sans-serif, monospace."""
    first = chance.choice([0x1D400, 0x1D4D0, 0x1D56C, 0x1D5A0, 0x1D670])
    return "".join(
        chr(first + ord(letter) - ord("A") - (6 if letter.islower() else 0))
        if letter.isascii() and letter.isalpha()
        else letter
        for letter in text
    )


def fullwidth(text: str, _chance: Random) -> str:
    """Letters, digits and marks as wide as Chinese ones."""
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def enclosed(text: str, chance: Random) -> str:
    """Letters in circles, in squares, or from flags."""
    first = chance.choice([0x24D0, 0x1F130, 0x1F150, 0x1F170, 0x1F1E6])
    return "".join(
        chr(first + ord(letter) - ord("a")) if letter in ascii_lowercase else letter
        for letter in text.lower()
    )


def small_capitals(text: str, _chance: Random) -> str:
    """Small capitals of the phonetic alphabets."""
    return "".join(SMALL_CAPITALS.get(letter, letter) for letter in text.lower())


def upside_down(text: str, _chance: Random) -> str:
    """Turned by half a circle, to be read from the end."""
    return "".join(UPSIDE_DOWN.get(letter, letter) for letter in reversed(text.lower()))


def backwards(text: str, _chance: Random) -> str:
    """From the end."""
    return text[::-1]


def invisible(text: str, chance: Random) -> str:
    """Characters between the letters that nobody sees."""
    return "".join(letter + chance.choice(INVISIBLE) for letter in text)


def accents(text: str, chance: Random) -> str:
    """An accent on every vowel, composed where Unicode has the letter."""
    marked = (letter + chance.choice(ACCENTS) if letter in "aeiouAEIOU" else letter for letter in text)
    return unicodedata.normalize("NFC", "".join(marked))


def zalgo(text: str, chance: Random) -> str:
    """Three to six marks piled on every letter."""
    return "".join(letter + "".join(chance.choices(PILED, k=chance.randint(3, 6))) for letter in text)


def spaced(text: str, _chance: Random) -> str:
    """Spaces between the letters, wider ones between the words."""
    return "   ".join(" ".join(word) for word in text.split())


def marked(text: str, chance: Random) -> str:
    """One kind of mark between all letters."""
    return chance.choice(MARKS).join(text)


def broken(text: str, chance: Random) -> str:
    """A mark in the middle."""
    middle = len(text) // 2
    return text[:middle] + chance.choice(MARKS) + text[middle:]


def masked(text: str, _chance: Random) -> str:
    """An asterisk for the first vowel behind the first letter."""
    for place, letter in enumerate(text):
        if place and letter in "aeiou":
            return f"{text[:place]}*{text[place + 1 :]}"
    return text


def repeated(text: str, chance: Random) -> str:
    """One or two letters held for long."""
    letters = list(text)
    for place in chance.sample(range(len(letters)), min(len(letters), 2)):
        letters[place] *= chance.randint(3, 6)
    return "".join(letters)


def alternating(text: str, chance: Random) -> str:
    """Small letters and capitals by turns."""
    first = chance.randint(0, 1)
    return "".join(
        letter.upper() if (place + first) % 2 else letter.lower() for place, letter in enumerate(text)
    )


def swapped(text: str, chance: Random) -> str:
    """Two neighbouring letters inside the word in each other's place."""
    places = [place for place in range(1, len(text) - 2) if text[place] != text[place + 1]]
    if not places:
        return text
    place = chance.choice(places)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def joined(text: str, _chance: Random) -> str:
    """No spaces at all."""
    return text.replace(" ", "")


def leet_and_spaced(text: str, chance: Random) -> str:
    """Digits for letters, and spaces between all."""
    return spaced(leet_light(text, chance), chance)


def cyrillic_and_repeated(text: str, chance: Random) -> str:
    """Cyrillic doubles, some held for long."""
    return repeated(cyrillic(text, chance), chance)


def fullwidth_and_marked(text: str, chance: Random) -> str:
    """Wide letters with marks between."""
    return marked(fullwidth(text, chance), chance)


def invisible_and_leet(text: str, chance: Random) -> str:
    """Digits for letters, and nothing that can be seen between them."""
    return invisible(leet_light(text, chance), chance)


WORDS: dict[str, Obfuscation] = {
    change.__name__: change
    for change in (
        leet_light,
        leet_heavy,
        cyrillic,
        greek,
        mathematical,
        enclosed,
        small_capitals,
        backwards,
        invisible,
        accents,
        zalgo,
        spaced,
        marked,
        broken,
        masked,
        repeated,
        swapped,
        leet_and_spaced,
        cyrillic_and_repeated,
        fullwidth_and_marked,
        invisible_and_leet,
    )
}
"""What is done to the words that matter, by name."""

TEXTS: dict[str, Obfuscation] = {
    f"{change.__name__}_text": change
    for change in (leet_half, fullwidth, upside_down, spaced, alternating, joined, mathematical)
}
"""What is done to the whole text, links excepted: they have to work."""
