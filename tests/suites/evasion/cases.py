"""Every obfuscation of every seed. The seeds lie beside this module, in the words of this project."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from pipeline.verdict import Category
from tests.suites.evasion.obfuscations import TEXTS, WORDS, Obfuscation

_FOLDER = Path(__file__).parent
_MARKED_WORD = re.compile(r"\{([^{}]+)\}")
_LINK = re.compile(r"(https?://\S+)")


@dataclass(frozen=True, slots=True)
class Seed:
    """A message with nothing to hide.

    Attributes:
        marked: the message, with braces around the words that somebody would disguise.
        category: what it is; LOW_RISK where it is harmless.
    """

    marked: str
    category: Category

    @property
    def text(self) -> str:
        """The message as it is read."""
        return _MARKED_WORD.sub(r"\1", self.marked)


@dataclass(frozen=True, slots=True)
class Case:
    """A seed in disguise."""

    seed: Seed
    obfuscation: str
    text: str


def harmful_seeds() -> list[Seed]:
    """The harmful messages, of all six categories."""
    return [
        Seed(marked, Category[name])
        for name, messages in _read("harmful.toml").items()
        for marked in messages
    ]


def harmless_seeds() -> list[Seed]:
    """The harmless messages."""
    return [Seed(marked, Category.LOW_RISK) for part in _read("harmless.toml").values() for marked in part]


def cases(seeds: list[Seed]) -> Iterator[Case]:
    """Each seed under each obfuscation, the same ones at every run; none that leaves the seed as it is."""
    for seed in seeds:
        for name, change in (WORDS | TEXTS).items():
            chance = Random(f"{name} {seed.marked}")  # noqa: S311  # repeatable, and a case moves no other
            text = _in_words(seed, change, chance) if name in WORDS else _in_text(seed, change, chance)
            if text != seed.text:
                yield Case(seed, name, text)


def _in_words(seed: Seed, change: Obfuscation, chance: Random) -> str:
    return _MARKED_WORD.sub(lambda match: change(match[1], chance), seed.marked)


def _in_text(seed: Seed, change: Obfuscation, chance: Random) -> str:
    pieces = _LINK.split(seed.text)  # every second one is a link
    return "".join(piece if place % 2 else change(piece, chance) for place, piece in enumerate(pieces))


def _read(name: str) -> dict[str, list[str]]:
    return tomllib.loads((_FOLDER / name).read_text(encoding="utf-8"))
