"""The phrase language and its search."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screener.heuristics.phrases import PhraseIndex

GROUPS = {"you": ["you", "u"], "will": ["will", "am going to"], "swear": ["damn"]}


def found(phrase: str, text: str) -> list[tuple[int, int]]:
    index = PhraseIndex(GROUPS)
    index.add(phrase, "rule")
    return [(match.first, match.last) for match in index.find(text.split())]


@pytest.mark.parametrize(
    ("phrase", "text", "spans"),
    [
        ("stop it", "please stop it now", [(1, 2)]),
        ("stop it", "stop doing it", []),
        ("stop it", "stop", []),
        ("hey <you>", "hey u and hey you", [(0, 1), (3, 4)]),
        ("i <will> see <you>", "i am going to see you", [(0, 5)]),
        ("i <will> see <you>", "i will see u", [(0, 3)]),
        ("so [<swear>] good", "so good and so damn good", [(0, 1), (3, 5)]),
        ("so [very] good", "so very good", [(0, 2)]),
        ("you _ thing", "you little thing", [(0, 2)]),
        ("you _ thing", "you thing", []),
        ("<you>", "me u", [(1, 1)]),
    ],
)
def test_a_phrase_is_found(phrase: str, text: str, spans: list[tuple[int, int]]) -> None:
    assert found(phrase, text) == spans


def test_each_name_of_a_phrase_is_told() -> None:
    index = PhraseIndex(GROUPS)
    index.add("hello", "one")
    index.add("hello", "two")
    index.add("hello there", "three")
    assert [(m.names, m.last) for m in index.find(["hello", "there"])] == [
        (("one", "two"), 0),
        (("three",), 1),
    ]


@pytest.mark.parametrize(
    "phrase", ["", "_ this", "[this", "this]", "<you", "[x]", "a b c d e f g h i j k l m"]
)
def test_a_bad_phrase_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match=r"phrase|bracket"):
        PhraseIndex(GROUPS).add(phrase, "rule")


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(KeyError):
        PhraseIndex(GROUPS).add("<nobody> here", "rule")


WORDS = ["i", "am", "going", "to", "will", "see", "you", "u", "damn", "so", "good"]


@settings(max_examples=300, derandomize=True)
@given(
    phrases=st.lists(
        st.lists(st.sampled_from([*WORDS, "<you>", "<will>", "[<swear>]", "_"]), min_size=1, max_size=4)
        .map(" ".join)
        .filter(lambda phrase: phrase[0] not in "_[")
    ),
    words=st.lists(st.sampled_from([*WORDS, "other"]), max_size=12),
)
def test_where_no_phrase_begins_none_is_found(phrases: list[str], words: list[str]) -> None:
    index = PhraseIndex(GROUPS)
    for phrase in phrases:
        index.add(phrase, phrase)
    from_each = [
        (match.names, first + match.first, first + match.last)
        for first in range(len(words))
        for match in index.find(words[first:])
        if not match.first
    ]
    assert [(match.names, match.first, match.last) for match in index.find(words)] == from_each


def test_a_phrase_that_is_added_later_is_found() -> None:
    index = PhraseIndex(GROUPS)
    index.add("hello", "one")
    assert not index.find(["stop", "it"])
    index.add("stop it", "two")
    assert [match.names for match in index.find(["stop", "it"])] == [("two",)]
