"""What a chunk is by itself."""

from __future__ import annotations

import pytest

from screener.text import kinds
from screener.text.kinds import ADDRESS, ALONE, LETTERS, MARKED, PLAIN, SINGLE, Kinds

WORDS = frozenset({"hello", "a", "word"})


@pytest.mark.parametrize(
    ("chunk", "kind"),
    [
        ("hello", PLAIN),
        ('"hello!"', PLAIN),
        ("2024", PLAIN),
        ("...", PLAIN),
        ("a", ALONE),
        ("7", ALONE),
        ("!", ALONE),
        ("k", SINGLE),
        ("\u0130".lower(), ALONE),  # two characters that were one
        ("wrod", LETTERS),
        ("приве", LETTERS),
        ("w0rd", MARKED),
        ("hel-lo", MARKED),
        ("see.this", ADDRESS),
        ("@somebody", ADDRESS),
    ],
)
def test_tells_the_kind(chunk: str, kind: str) -> None:
    found = Kinds(WORDS)
    assert [found[chunk], found[chunk]] == [kind, kind]


def test_remembers_a_bounded_number_of_short_chunks() -> None:
    found = Kinds(WORDS)
    for number in range(kinds._MOST + 10):
        assert found[f"x{number}"] == MARKED
    assert 0 < len(found) <= kinds._MOST
    found.clear()
    assert found["x" * 10_000] == LETTERS
    assert not found
