from __future__ import annotations

import numpy as np
import pytest

from training.evaluation.resampling import figure, mean, ratio, resampled, sums


def test_each_resample_draws_as_many_rows_as_there_are() -> None:
    weights = resampled(500, resamples=30, seed=4)
    assert (weights[0] == 1).all()
    assert (weights.sum(axis=1) == 500).all()
    assert len({row.tobytes() for row in weights}) == 31
    assert np.array_equal(weights, resampled(500, resamples=30, seed=4))
    assert not np.array_equal(weights, resampled(500, resamples=30, seed=5))


def test_sums_are_exact_counts() -> None:
    generator = np.random.default_rng(2)
    weights = generator.integers(0, 4, (200, 70)).astype(np.uint8)
    rows = np.flatnonzero(generator.random(70) < 0.5)
    amounts = generator.random((len(rows), 3)) < 0.4
    expected = weights[:, rows].astype(int) @ amounts.astype(int)
    assert np.array_equal(sums(weights, rows, amounts), expected)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(7)
    covered = 0
    for trial in range(300):
        weights = resampled(200, resamples=200, seed=trial)
        hits = (generator.random(200) < 0.3)[:, np.newaxis]
        told = figure(sums(weights, np.arange(200), hits)[:, 0] / 200)
        assert told.low is not None
        assert told.high is not None
        covered += told.low <= 0.3 <= told.high
    assert 0.90 <= covered / 300 <= 0.98


def test_no_interval_where_many_resamples_are_undefined() -> None:
    samples = np.linspace(0.4, 0.6, 101)
    samples[1:4] = np.nan
    assert figure(samples).low is not None
    samples[1:10] = np.nan
    assert (figure(samples).value, figure(samples).low) == (0.4, None)
    samples[0] = np.nan
    assert figure(samples).value is None


def test_a_share_of_none_is_not_certain() -> None:
    assert figure(np.zeros(101)).high is None


def test_means_leave_out_what_is_not_defined() -> None:
    told = mean([np.array([0.2, np.nan]), np.array([0.4, 0.6]), np.array([np.nan, 0.9])])
    assert told == pytest.approx([0.3, 0.6])
    assert np.isnan(mean([np.array([np.nan, 0.5])])).all()


def test_a_share_of_nothing_is_undefined() -> None:
    assert ratio(np.array([0.0, 1.0]), np.array([0.0, 4.0])) == pytest.approx([np.nan, 0.25], nan_ok=True)
