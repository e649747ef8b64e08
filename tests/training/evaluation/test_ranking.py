from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.evaluation.ranking import precision_recall_curve, rank
from training.metrics import average_precision

ROWS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 0.9]), st.integers(0, 3)),
    min_size=1,
    max_size=12,
)


def ranked(truth: list[int], scores: list[float], weights: list[int] | None = None) -> tuple[float, ...]:
    weight = np.array([weights or [1] * len(truth)], dtype=np.uint8)
    found = rank(weight, np.arange(len(truth)), np.array(truth) == 1, np.array(scores))
    return float(found.auprc[0]), float(found.roc_auc[0]), float(found.precise_recall[0])


def test_by_hand() -> None:
    auprc, roc_auc, recall = ranked([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1])
    assert auprc == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert roc_auc == pytest.approx(3 / 4)
    assert recall == pytest.approx(1 / 2)


def test_equal_scores_are_one_step() -> None:
    auprc, roc_auc, recall = ranked([1, 0, 1, 0], [0.5, 0.5, 0.5, 0.5])
    assert auprc == pytest.approx(1 / 2)
    assert roc_auc == pytest.approx(1 / 2)
    assert recall == 0


def test_recall_at_a_precision_that_is_just_reached() -> None:
    truth = [1] * 19 + [0] + [1]
    assert ranked(truth, [1 - place / 100 for place in range(21)])[2] == pytest.approx(1.0)
    truth = [1] * 18 + [0] + [1]  # 19 of 20 at the end, 18 of 19 before
    assert ranked(truth, [1 - place / 100 for place in range(20)])[2] == pytest.approx(1.0)
    truth = [1] * 17 + [0] + [1]  # 18 of 19 is too little
    assert ranked(truth, [1 - place / 100 for place in range(19)])[2] == pytest.approx(17 / 18)


def test_a_class_that_is_missing_leaves_figures_undefined() -> None:
    assert np.isnan(ranked([0, 0], [0.1, 0.2])).all()
    auprc, roc_auc, recall = ranked([1, 1], [0.1, 0.2])
    assert (auprc, recall) == (1, 1)
    assert np.isnan(roc_auc)


@settings(deadline=None)  # a busy machine is no fault
@given(ROWS)
def test_a_weight_is_as_good_as_copies(rows: list[tuple[bool, float, int]]) -> None:
    truth, scores, weights = (list(column) for column in zip(*rows, strict=True))
    copied = [row for row in rows for _ in range(row[2])]
    weighted = ranked(truth, scores, weights)
    if copied:
        expected = ranked([row[0] for row in copied], [row[1] for row in copied])
        assert weighted == pytest.approx(expected, nan_ok=True)


@settings(deadline=None)  # a busy machine is no fault
@given(ROWS)
def test_against_the_definitions(rows: list[tuple[bool, float, int]]) -> None:
    truth, scores = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    auprc, roc_auc, recall = ranked(truth.tolist(), scores.tolist())
    if not truth.any():
        assert np.isnan(auprc)
        return
    assert auprc == pytest.approx(average_precision(truth, scores))
    thresholds = [t for t in scores if truth[scores >= t].mean() >= 0.95]
    assert recall == pytest.approx(
        max((truth[scores >= t].sum() / truth.sum() for t in thresholds), default=0)
    )
    pairs = [(p > n) + (p == n) / 2 for p in scores[truth] for n in scores[~truth]]
    assert roc_auc == pytest.approx(np.mean(pairs) if pairs else np.nan, nan_ok=True)


@settings(deadline=None)  # a busy machine is no fault
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_has_no_say(rows: list[tuple[bool, float, int]], random: Random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = (ranked([r[0] for r in some], [r[1] for r in some]) for some in (rows, shuffled))
    assert one == pytest.approx(other, nan_ok=True)


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    weights = generator.integers(0, 3, (50, 40)).astype(np.uint8)
    truth, scores = generator.random(40) < 0.4, generator.random(40)
    at_once = rank(weights, np.arange(40), truth, scores)
    monkeypatch.setattr("training.evaluation.ranking._CHUNK_CELLS", 1)
    one_by_one = rank(weights, np.arange(40), truth, scores)
    assert np.array_equal(at_once.auprc, one_by_one.auprc)
    assert np.array_equal(at_once.roc_auc, one_by_one.roc_auc)


def test_the_curve_ends_where_everything_is_called() -> None:
    truth, scores = np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1])
    assert precision_recall_curve(truth, scores, points=10) == ((0.5, 1.0), (1.0, 2 / 3))
    assert precision_recall_curve(np.array([False]), np.array([0.5]), points=10) == ()
