from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.evaluation.sample import sample, scored_by
from training.evaluation.comparing import compare, difference, holm, mcnemar
from training.evaluation.evaluation import evaluate
from training.evaluation.figures import Key
from training.evaluation.groups import ALL_LENGTHS, EVERY, Group
from training.evaluation.resampling import resampled
from training.evaluation.scored import Scorer

ALL = Group(EVERY, ALL_LENGTHS)


def test_mcnemar_by_hand() -> None:
    assert mcnemar(1, 9).p == pytest.approx(2 * (1 + 10) / 2**10)
    assert mcnemar(9, 1).p == mcnemar(1, 9).p
    assert mcnemar(5, 5).p == 1
    assert mcnemar(0, 0).p == 1
    assert mcnemar(0, 4).p == pytest.approx(2 / 16)
    assert mcnemar(400, 600).p == pytest.approx(2.7e-10, rel=0.1)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(st.floats(0, 1), max_size=8))
def test_a_corrected_p_is_never_smaller_and_keeps_the_order(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(c >= p for c, p in zip(corrected, p_values, strict=True))
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    assert [corrected[place] for place in order] == sorted(corrected)


def test_the_same_scores_do_not_differ() -> None:
    rows, scores = sample()
    weights = resampled(len(rows), resamples=200, seed=1)
    evaluation = evaluate(rows, scored_by(scores), weights)
    comparison = compare(rows, evaluation, evaluation)
    assert set(comparison.differences) == set(evaluation.figures)
    assert {found.difference.value for found in comparison.differences.values()} <= {0.0, None}
    assert {found.p for found in comparison.differences.values()} <= {1.0, None}
    assert {test.p for test in comparison.mcnemar.values()} == {1.0}
    assert comparison.calibration_errors
    assert all(first == second for first, second in comparison.calibration_errors.values())


def test_a_version_that_is_better_is_found_better() -> None:
    rows, good = sample(600, noise=0.6)
    _, bad = sample(600, noise=0.9)
    weights = resampled(len(rows), resamples=400, seed=1)
    first, second = (evaluate(rows, scored_by(scores), weights) for scores in (bad, good))
    comparison = compare(rows, first, second)
    found = comparison.differences[Key(ALL, Scorer.FUSED, "TOXIC", "auprc")]
    assert found.first is not None
    assert found.second is not None
    assert found.difference.value == pytest.approx(found.second - found.first)
    assert found.difference.low is not None
    assert found.difference.low > 0
    assert found.p is not None
    assert found.p <= 2 / 401
    assert comparison.calibration_errors[ALL, "TOXIC"] == (
        first.calibrations[ALL, "TOXIC"].error,
        second.calibrations[ALL, "TOXIC"].error,
    )
    test = comparison.mcnemar[ALL, "TOXIC"]
    assert test.only_second_right > test.only_first_right
    assert test.p < 0.01
    known = ~np.isnan(rows.truth[:, 1])
    right, right_too = ((scores[known, 1] >= 0.5) == (rows.truth[known, 1] == 1) for scores in (bad, good))
    assert test.only_second_right == int((right_too & ~right).sum())


def test_pairing_sees_what_two_intervals_would_not() -> None:
    generator = np.random.default_rng(1)
    shared = generator.normal(0.8, 0.05, 1_001)
    told = difference(shared, shared + generator.normal(0.01, 0.001, 1_001))
    assert told.p == pytest.approx(2 / 1_001)
    unpaired = difference(shared, generator.permutation(shared) + 0.01)
    assert unpaired.p is not None
    assert unpaired.p > 0.5


def test_chance_alone_is_seldom_called_a_difference() -> None:
    generator = np.random.default_rng(5)
    called = 0
    for trial in range(200):
        rows, hits = 150, generator.random((2, 150)) < 0.7
        weights = resampled(rows, resamples=199, seed=trial).astype(float)
        first, second = (weights @ side / rows for side in hits)
        p = difference(first, second).p
        called += p is not None and p <= 0.05
    assert called <= 20
