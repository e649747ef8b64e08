"""Texts to send: made of the samples, so that they have the length and the words of chat."""

from __future__ import annotations

import json
import random
from functools import cache

from scripts.commands.run import SAMPLES


@cache
def _samples() -> tuple[str, ...]:
    rows = (json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines())
    texts = (str(row.get("content", "")) for row in rows)
    return tuple(dict.fromkeys(text for text in texts if 20 <= len(text) <= 300))


def known_texts(count: int) -> list[str]:
    """`count` texts, the same at every call: what a cache holds after the first round."""
    samples = _samples()
    return [f"{samples[number % len(samples)]} {number // len(samples)}" for number in range(count)]


def new_text(chance: random.Random) -> str:
    """A text that no cache has seen."""
    return f"{chance.choice(_samples())} {chance.randrange(10**9)}"


def new_texts(count: int, *, seed: int) -> list[str]:
    """`count` of them, the same at every call with the same seed."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    return [new_text(chance) for _ in range(count)]
