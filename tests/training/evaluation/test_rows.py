from __future__ import annotations

import numpy as np

from tests.training.evaluation.sample import rows_of
from training.evaluation.rows import harmful, harmful_if_any_holds, told

NAN = np.nan


def test_unknown_stays_unknown() -> None:
    rows = rows_of([{"SPAM": 1, "SEXUAL": 0}, {}])
    assert np.array_equal(rows.truth[0], [1, NAN, NAN, NAN, NAN, 0], equal_nan=True)
    assert np.isnan(rows.truth[1]).all()
    assert rows.is_benign.tolist() == [False, False]


def test_a_row_counts_as_harmless_only_if_all_that_its_source_tells_is_0() -> None:
    two = {"TOXIC": 0, "HATE_SPEECH": 0}
    rows = rows_of(
        [two, {"TOXIC": 0}, {"TOXIC": 1, "HATE_SPEECH": 0}, {"TOXIC": 1}, {"TOXIC": 0}],
        sources=["two", "two", "two", "two", "one"],
    )
    assert np.array_equal(harmful(rows), [0, NAN, 1, NAN, 0], equal_nan=True)
    assert np.array_equal(harmful_if_any_holds(rows), [0, NAN, 1, 1, 0], equal_nan=True)
    assert rows.is_benign.tolist() == [True, True, False, False, True]


def test_a_label_that_few_rows_borrowed_is_not_told_by_the_source() -> None:
    rows = rows_of([{"TOXIC": 0, "SPAM": 0}] + [{"TOXIC": 0}] * 40)
    assert told(rows)["a"].tolist() == [False, True, False, False, False, False]
    assert (harmful(rows) == 0).all()


def test_a_source_that_tells_nothing_has_no_answer() -> None:
    assert np.isnan(harmful(rows_of([{}, {}]))).all()


def test_short_texts_by_characters() -> None:
    rows = rows_of([{}, {}, {}], texts=["x" * 14, "x" * 15, "é" * 14])
    assert rows.is_short.tolist() == [True, False, True]
