"""Slots of a template, filled from pools."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from training.errors import CorpusInvalid

Pools = Mapping[str, Sequence[str]]

SLOT = re.compile(r"\{([a-z_]+)(\d*)\}")
_DEEPEST = 4
_ARTICLE = re.compile(r"\b([Aa])$")
_VOWEL = re.compile(r"[aeiou](?!u|n[iy]|s[aeiou]|k)", re.IGNORECASE)
"""Sounds like a vowel: not "European", "a university", "a user", "a Ukrainian"."""


def fill(template: str, pools: Pools, generator: np.random.Generator) -> str:
    """One expansion, its first letter a capital where a slot begins a template that has capitals.

    The same slot has the same value each time it occurs in a template; `{name2}`, `{name3}` draw other
    values of the same pool. Values may hold slots themselves. "a" before a slot becomes "an" where the value
    asks for it. Raises CorpusInvalid where a slot names no pool or pools go round in a circle.
    """
    filled = _fill(template, pools, generator, {}, 0)
    begins_with_slot = template.startswith("{") and template.rstrip().endswith((".", "!", "?"))
    return filled[:1].upper() + filled[1:] if begins_with_slot else filled


def _fill(text: str, pools: Pools, generator: np.random.Generator, chosen: dict[str, str], depth: int) -> str:
    if depth > _DEEPEST:
        raise CorpusInvalid(f"slots within slots go deeper than {_DEEPEST}: {text!r}")
    parts: list[str] = []
    end = 0
    for slot in SLOT.finditer(text):
        before = text[end : slot.start()]
        value = _value(slot, pools, generator, chosen)
        value = _fill(value, pools, generator, chosen, depth + 1)
        chosen[slot[0]] = value
        parts += [_with_article(before, value), value]
        end = slot.end()
    rest = text[end:]
    if "{" in rest or "}" in rest:
        raise CorpusInvalid(f"{rest!r} holds a brace that belongs to no slot")
    return "".join(parts) + rest


def _value(slot: re.Match[str], pools: Pools, generator: np.random.Generator, chosen: dict[str, str]) -> str:
    if slot[0] in chosen:
        return chosen[slot[0]]
    name = slot[1]
    if not pools.get(name):
        raise CorpusInvalid(f"slot {slot[0]} names no pool")
    taken = {value for key, value in chosen.items() if key.rstrip("0123456789}") == "{" + name}
    free = [value for value in pools[name] if value not in taken] or list(pools[name])
    return free[generator.integers(len(free))]


def _with_article(before: str, value: str) -> str:
    words = before[:-1] if before.endswith(" ") else ""
    if _ARTICLE.search(words) and _VOWEL.match(value):
        return f"{words}n "
    return before
