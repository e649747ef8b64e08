"""Vectors with twelve bits for each number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from screener.twelve_bits import packed, unpacked
from tests.fixtures.model import vector_of


def there_and_back(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    numbers, scale = packed(vector)
    return unpacked(np.frombuffer(numbers, np.uint8)[None], np.array([scale], np.float32)).ravel()


@given(arrays(np.float32, 8, elements=st.floats(-1, 1, width=32)))
def test_a_number_moves_by_half_a_step_at_most(vector: NDArray[np.float32]) -> None:
    step = np.abs(vector).max() / 2047
    assert np.abs(there_and_back(vector) - vector).max() <= 0.5001 * step + 1e-30


def test_a_vector_takes_a_quarter_less_than_float16() -> None:
    numbers, _ = packed(vector_of("hello"))
    assert len(numbers) == vector_of("hello").astype(np.float16).nbytes * 3 // 4


def test_its_direction_stays() -> None:
    vector = vector_of("hello")
    found = there_and_back(vector)
    assert float(found @ vector) / float(np.linalg.norm(found)) == pytest.approx(1, abs=1e-6)


def test_several_are_read_at_once() -> None:
    vectors = [vector_of("one"), vector_of("two")]
    pairs = [packed(vector) for vector in vectors]
    numbers = np.frombuffer(b"".join(numbers for numbers, _ in pairs), np.uint8).reshape(2, -1)
    found = unpacked(numbers, np.array([scale for _, scale in pairs], np.float32))
    assert (found == np.stack([there_and_back(vector) for vector in vectors])).all()
    assert found.dtype == np.float32
