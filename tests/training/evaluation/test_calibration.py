from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.evaluation.calibration import calibration, wilson


def test_one_probability_for_all() -> None:
    told = calibration(np.arange(100) < 30, np.full(100, 0.8))
    assert told is not None
    assert told.error == pytest.approx(0.5)
    assert told.error_equal_width == pytest.approx(0.5)


def test_two_groups_by_hand() -> None:
    # 60 rows at .1 of which 12 come true, 40 at .9 of which 34 do.
    truth = np.concatenate([np.arange(60) < 12, np.arange(40) < 34])
    told = calibration(truth, np.concatenate([np.full(60, 0.1), np.full(40, 0.9)]))
    assert told is not None
    assert told.error_equal_width == pytest.approx(0.6 * 0.1 + 0.4 * 0.05)
    assert told.rows == sum(part.rows for part in told.bins) == 100


def test_opposite_errors_within_a_bin_cancel_and_across_bins_do_not() -> None:
    truth = np.concatenate([np.zeros(750, dtype=bool), np.ones(750, dtype=bool)])
    told = calibration(truth, np.concatenate([np.full(750, 0.25), np.full(750, 0.75)]))
    assert told is not None
    assert told.error_equal_width == pytest.approx(0.25)
    # Fifteen bins of a hundred: the eighth holds fifty rows of each kind, and is right on the whole.
    assert told.error == pytest.approx(0.25 * 14 / 15)


def test_what_comes_true_as_often_as_said_has_no_error() -> None:
    generator = np.random.default_rng(3)
    p = generator.random(200_000)
    told = calibration(generator.random(200_000) < p, p)
    assert told is not None
    assert told.error < 0.01
    assert told.error_equal_width < 0.01


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.5, 1.0])), min_size=1, max_size=60))
def test_neither_order_nor_ties_have_a_say(rows: list[tuple[bool, float]]) -> None:
    truth, p = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    forwards, backwards = calibration(truth, p), calibration(truth[::-1], p[::-1])
    assert forwards is not None
    assert backwards is not None
    assert forwards.error == pytest.approx(backwards.error)
    assert 0 <= forwards.error <= 1
    gap = abs(p.mean() - truth.mean())
    assert gap <= forwards.error + 1e-12
    assert gap <= forwards.error_equal_width + 1e-12


def test_nothing_to_tell_of_no_rows() -> None:
    assert calibration(np.array([], dtype=bool), np.array([])) is None


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)],
)
def test_wilson_s_interval(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=1e-4)
