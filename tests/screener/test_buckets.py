"""Rows to padded batches: nothing lost, nothing too large, and no cheaper way to cut them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.buckets import RUN_TOKENS, Bucket, bucketed, padded_share


def ids(*lengths: int) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    return [np.arange(1, length + 1, dtype=np.int64) for length in lengths]


def test_each_row_is_in_one_bucket_unharmed() -> None:
    rows = ids(2, 512, 17, 16, 40, 2, 33, 300, 16)
    buckets = bucketed(rows, max_batch=64)
    assert sorted(np.concatenate([bucket.rows for bucket in buckets]).tolist()) == list(range(9))
    for bucket in buckets:
        assert bucket.input_ids.dtype == bucket.attention_mask.dtype == np.int64
        for place, row in enumerate(bucket.rows):
            length = len(rows[row])
            assert bucket.input_ids[place, :length].tolist() == rows[row].tolist()
            assert not bucket.input_ids[place, length:].any()
            assert bucket.attention_mask[place].tolist() == [1] * length + [0] * (
                bucket.input_ids.shape[1] - length
            )


def test_rows_of_like_length_make_one_bucket_as_wide_as_the_longest() -> None:
    buckets = bucketed(ids(*[3] * 20, *[60] * 20, 57), max_batch=64)
    assert [bucket.input_ids.shape for bucket in buckets] == [(20, 3), (21, 60)]


def test_widths_are_those_asked_for() -> None:
    buckets = bucketed(ids(*[3] * 20, *[60] * 20, 57), max_batch=64, edges=(8, 64))
    assert [bucket.input_ids.shape for bucket in buckets] == [(20, 8), (21, 64)]


def test_a_few_shorter_rows_go_along_where_that_costs_less_than_a_run() -> None:
    assert [bucket.input_ids.shape for bucket in bucketed(ids(16, 17, 20), max_batch=64)] == [(3, 20)]
    apart = bucketed(ids(16, 500), max_batch=64)
    assert [bucket.input_ids.shape for bucket in apart] == [(1, 16), (1, 500)]


def test_no_bucket_is_larger_than_asked() -> None:
    buckets = bucketed(ids(*[10] * 7), max_batch=3)
    assert sorted(len(bucket.rows) for bucket in buckets) == [1, 3, 3]
    assert bucketed([], max_batch=3) == []
    with pytest.raises(ValueError, match="max_batch"):
        bucketed(ids(1), max_batch=0)


def test_no_bucket_has_more_tokens_than_asked_unless_it_is_one_row() -> None:
    buckets = bucketed(ids(*[30] * 9, 200), max_batch=64, max_tokens=128)
    assert [bucket.input_ids.shape for bucket in buckets] == [(1, 30), (4, 30), (4, 30), (1, 200)]


@given(st.lists(st.integers(1, 70), max_size=7), st.integers(1, 4), st.sampled_from((48, 160, None)))
def test_no_other_way_to_cut_costs_less(lengths: list[int], max_batch: int, max_tokens: int | None) -> None:
    buckets = bucketed(ids(*lengths), max_batch=max_batch, max_tokens=max_tokens)
    assert sorted(row for bucket in buckets for row in bucket.rows.tolist()) == list(range(len(lengths)))
    assert cost(buckets) == least_cost(sorted(lengths), max_batch, max_tokens)


def cost(buckets: Sequence[Bucket]) -> int:
    return sum(RUN_TOKENS + bucket.input_ids.size for bucket in buckets)


def least_cost(widths: list[int], max_batch: int, max_tokens: int | None) -> int:
    """Of every way to cut the rows, in order, into buckets that are allowed."""
    if not widths:
        return 0
    return min(
        RUN_TOKENS + count * widths[-1] + least_cost(widths[:-count], max_batch, max_tokens)
        for count in range(1, min(max_batch, len(widths)) + 1)
        if count == 1 or max_tokens is None or count * widths[-1] <= max_tokens
    )


def test_the_padded_share_is_of_all_tokens() -> None:
    assert padded_share(bucketed(ids(12, 16), max_batch=64)) == pytest.approx(4 / 32)
    assert padded_share([]) == 0
