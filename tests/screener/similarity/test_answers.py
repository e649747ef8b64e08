from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from screener.model import EMBEDDING_WIDTH
from screener.similarity.answers import Answers, Found

K = 2


class Searched:
    """A search whose answers tell the first component of their vectors; it remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, vectors: NDArray[np.float32]) -> Found:
        firsts = vectors[:, 0]
        self.asked += firsts.astype(int).tolist()
        return np.stack([firsts] * K, axis=1), np.stack([firsts.astype(np.int64)] * K, axis=1)


def vectors(*firsts: int) -> NDArray[np.float32]:
    made = np.zeros((len(firsts), EMBEDDING_WIDTH), np.float32)
    made[:, 0] = firsts
    return made


def test_a_vector_that_comes_again_is_not_searched_again() -> None:
    answers, search = Answers(capacity=10, k=K), Searched()
    answers.find(vectors(1, 2), search)
    cosines, numbers = answers.find(vectors(2, 3, 1), search)
    assert search.asked == [1, 2, 3]
    assert cosines[:, 0].tolist() == [2.0, 3.0, 1.0]
    assert numbers[:, 0].tolist() == [2, 3, 1]


def test_the_oldest_answer_goes_when_there_are_too_many() -> None:
    answers, search = Answers(capacity=2, k=K), Searched()
    for first in (1, 2, 3, 2, 1):
        answers.find(vectors(first), search)
    assert search.asked == [1, 2, 3, 1]


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=8), max_size=12), st.integers(1, 6))
def test_whatever_is_remembered_every_answer_is_right(batches: list[list[int]], capacity: int) -> None:
    answers, search = Answers(capacity=capacity, k=K), Searched()
    for batch in batches:
        cosines, numbers = answers.find(vectors(*batch), search)
        assert cosines.tolist() == [[float(first)] * K for first in batch]
        assert numbers.tolist() == [[first] * K for first in batch]
