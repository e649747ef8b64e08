"""What counts as quoted."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.heuristics.quotation import quotations


def quoted(content: str) -> list[str]:
    return [content[start:end] for start, end in quotations(content)]


@pytest.mark.parametrize(
    ("content", "passages"),
    [
        ('she said "go away now" and left', ['"go away now"']),
        ("she said \u201cgo away now\u201d and left", ["\u201cgo away now\u201d"]),
        ("sie rief \u201egeh weg jetzt\u201c und ging", ["\u201egeh weg jetzt\u201c"]),
        ('first "one two" then ""three four"" too', ['"one two"', '""three four""']),
        ('what a "friend" he is', []),  # irony
        ('"the whole message"', []),  # quotes around all of it are no quotation
        ('"the whole message".', []),
        ('an open "quote without an end', []),
        ("it's what he's said, isn't it", []),
        ("", []),
    ],
)
def test_passages_in_double_quotes(content: str, passages: list[str]) -> None:
    assert quoted(content) == passages


@given(st.text(alphabet='ab "\u201c\u201d\u201e', max_size=200))
def test_passages_lie_in_the_text_and_in_order(content: str) -> None:
    spans = quotations(content)
    assert all(0 <= start < end <= len(content) for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
