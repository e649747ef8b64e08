from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screener.tokens import MAX_TOKENS, PREFIX_TOKENS, Tokenizer
from screener.windows import MOST, OVERLAP, SHORT, SIZES, Rows, rows_of, spans

CLS, QUERY, COLON, SEP = 101, 23032, 1024, 102
LONGEST = 30_000
"""Tokens of 10,000 characters at most: the last of the scripts comes to three a character."""

SCRIPTS = {
    "English": "what a fine day to walk the dog along the river ",
    "Chinese": "今天天气很好",
    "Cyrillic": "сегодня хорошая погода ",
    "Arabic": "الطقس جميل اليوم ",
    "Hindi": "आज मौसम अच्छा है ",
    "Thai": "วันนี้อากาศดี ",
    "digits": "4 8 15 16 23 42 ",
    "punctuation": "?!",
    "emoji": "🙂",
    "one long word": "x",
    "Korean": "오늘은 날씨가 참 좋습니다 ",
    "closed syllables": "각",
}


def numbered(tokens: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """A text of so many tokens of its own, each another."""
    return np.concatenate(([CLS, QUERY, COLON], np.arange(1_000, 1_000 + tokens), [SEP])).astype(np.int64)


def windows_of(rows: Rows, texts: int) -> list[list[int]]:
    return [ids[PREFIX_TOKENS:-1].tolist() for ids in rows.ids[texts:]]


@settings(deadline=None)  # a busy machine may take long for one
@given(st.integers(SHORT - PREFIX_TOKENS, LONGEST))
def test_every_token_is_in_some_window_and_neighbours_overlap(tokens: int) -> None:
    found = spans(tokens)
    assert (found[0][0], found[-1][1]) == (0, tokens)
    for (_, end), (start, _) in pairwise(found):
        assert end - start >= OVERLAP


@settings(deadline=None)
@given(st.integers(SHORT - PREFIX_TOKENS, LONGEST))
def test_windows_are_of_one_size_and_bounded_in_number(tokens: int) -> None:
    found = spans(tokens)
    [size] = {stop - start + PREFIX_TOKENS + 1 for start, stop in found}
    assert size in SIZES
    assert len(found) <= MOST or (size == MAX_TOKENS and len(found) <= 63)


def test_only_the_longest_texts_need_larger_windows() -> None:
    assert {stop - start for start, stop in spans(3_712)} == {SHORT - PREFIX_TOKENS - 1}
    assert len(spans(3_712)) == len(spans(19_072)) == MOST
    assert len(spans(LONGEST)) == 63


def test_a_text_up_to_the_limit_is_one_row() -> None:
    texts = [numbered(SHORT - PREFIX_TOKENS - 1), numbered(0)]
    rows = rows_of(texts)
    assert len(rows.ids) == 2
    assert all(np.array_equal(row, text) for row, text in zip(rows.ids, texts, strict=True))


def test_a_longer_one_has_its_beginning_and_windows_with_the_same_marks() -> None:
    rows = rows_of([numbered(3), numbered(600), numbered(200)])
    assert [len(ids) for ids in rows.ids[:3]] == [7, MAX_TOKENS, 204]
    assert all(ids[:PREFIX_TOKENS].tolist() == [CLS, QUERY, COLON] and ids[-1] == SEP for ids in rows.ids)
    assert {len(ids) for ids in rows.ids[3:]} == {SHORT}
    own = [token for window in windows_of(rows, 3)[:7] for token in window]
    assert sorted(set(own)) == list(range(1_000, 1_600))


def of_windows(*chances: float) -> float:
    """What one label's probabilities in as many windows make of a text."""
    rows = Rows([numbered(1)] * (1 + len(chances)), long=np.array([0]), first_window=np.array([1]))
    probabilities = np.full((len(rows.ids), 7), 0.9, np.float32)  # the text's first row has no say
    probabilities[1:] = np.array(chances, np.float32)[:, None]
    [result] = rows.of_texts(probabilities, texts=1)
    assert len(set(result.tolist())) == 1
    return float(result[0])


def test_windows_that_agree_speak_for_their_text() -> None:
    for chance in (1e-4, 0.3, 0.5, 0.97):
        assert of_windows(chance, chance) == pytest.approx(chance, rel=1e-4)
        assert of_windows(*[chance] * 25) == pytest.approx(chance, rel=1e-4)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=40))
def test_a_text_lies_between_the_mean_odds_and_the_worst_window(chances: list[float]) -> None:
    assert min(chances) - 1e-5 <= of_windows(*chances) <= max(chances) + 1e-5


def test_one_bad_window_counts_whole_among_two_and_less_among_many() -> None:
    assert of_windows(0.95, 0.02) == pytest.approx(0.941, abs=0.001)  # odds of 19 by the fourth root of 2
    assert of_windows(*[0.02] * 24, 0.95) == pytest.approx(0.895, abs=0.001)  # by that of 25


def test_labels_and_texts_are_kept_apart() -> None:
    rows = rows_of([numbered(200), numbered(3), numbered(300)])
    probabilities = np.full((len(rows.ids), 7), 0.1, np.float32)
    probabilities[1], probabilities[3, 1], probabilities[-1, 2] = 0.3, 0.6, 0.7
    first, short, last = rows.of_texts(probabilities, texts=3)
    assert first.tolist() == pytest.approx([0.1, of_windows(0.6, 0.1), *[0.1] * 5])
    assert short.tolist() == pytest.approx([0.3] * 7)
    assert last.tolist() == pytest.approx([0.1, 0.1, of_windows(0.1, 0.1, 0.7), *[0.1] * 4])


def test_no_texts_have_no_rows() -> None:
    rows = rows_of([])
    assert rows.ids == []
    assert rows.of_texts(np.empty((0, 7), np.float32), texts=0).shape == (0, 7)


@pytest.mark.parametrize("script", SCRIPTS)
def test_ten_thousand_characters_of_any_script_are_a_bounded_number_of_windows(
    tokenizer: Tokenizer, script: str
) -> None:
    text = (SCRIPTS[script] * 10_000)[:10_000]
    rows = rows_of(tokenizer.encode_whole([text]))
    assert len(rows.ids) - 1 <= (MOST if script != "closed syllables" else 63)
    assert max(len(ids) for ids in rows.ids) <= MAX_TOKENS


@settings(deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=30).map("".join))
def test_every_token_of_a_text_is_in_some_window(tokenizer: Tokenizer, part: str) -> None:
    text = (part or "x") + " and so on" * 60
    [whole] = tokenizer.encode_whole([text])
    rows = rows_of([whole])
    at = 0
    for window, (start, stop) in zip(windows_of(rows, 1), spans(len(whole) - PREFIX_TOKENS - 1), strict=True):
        assert start <= at
        assert window == whole[PREFIX_TOKENS:-1][start:stop].tolist()
        at = stop
    assert at == len(whole) - PREFIX_TOKENS - 1
