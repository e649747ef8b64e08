"""Digits and symbols that stand for letters, and every way to read them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product

_READINGS = {
    "0": "o", "1": "il", "3": "e", "4": "a", "5": "s", "6": "gb", "7": "t", "8": "b", "9": "g", "@": "a",
    "$": "s", "!": "il", "|": "il", "+": "t", "(": "c", "<": "c", "€": "e", "£": "l", "¢": "c", "©": "c",
    "®": "r", "¡": "i",
}  # fmt: skip
CHARACTERS = frozenset(_READINGS)
_MOST_READINGS = 16


def readings(token: str) -> Iterator[str]:
    """The letters that a lower-case token may stand for, the likeliest first; at most 16 of them."""
    choices = [_READINGS.get(character, character) for character in token]
    return ("".join(letters) for letters in islice(product(*choices), _MOST_READINGS))
