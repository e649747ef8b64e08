from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from training.calibration import any_harm, calibrate, noisy_or_logit
from training.corpus import read_corpus
from training.errors import CorpusInvalid
from training.logistic import fit_logistic, sigmoid
from training.metrics import average_precision, label_threshold, lowest_precise_threshold
from training.thresholds import ALERT_BUDGET, choose_thresholds, escalated

NAN = np.nan


def test_logistic_regression_finds_the_weights_that_made_the_data() -> None:
    generator = np.random.default_rng(7)
    features = generator.normal(size=(40_000, 3)).astype(np.float32)
    truth = (generator.random(40_000) < sigmoid(features @ np.array([1.5, -2.0, 0.0]) + 0.5)).astype(float)
    weight, bias = fit_logistic(features, truth, np.ones(40_000), penalty=np.zeros((3, 3)))
    assert weight == pytest.approx([1.5, -2.0, 0.0], abs=0.08)
    assert bias == pytest.approx(0.5, abs=0.05)


def test_a_separable_set_ends_and_stays_finite() -> None:
    features = np.array([[-1.0], [1.0]], dtype=np.float32)
    weight, bias = fit_logistic(features, np.array([0.0, 1.0]), np.ones(2), penalty=0.01 * np.eye(1))
    assert np.isfinite(weight).all()
    assert weight[0] > 1
    assert bias == pytest.approx(0, abs=1e-6)


def test_any_harm_trusts_a_clean_row_by_what_it_does_not_tell() -> None:
    labels = np.array([[1, NAN, 0, 0, 0, 0], [0, NAN, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]], dtype=np.float32)
    truth, trust = any_harm(labels, np.full((3, 6), 0.25))
    assert truth.tolist() == [1, 0, 0]
    assert trust.tolist() == [1, 0.75, 1]


def test_noisy_or_agrees_with_the_product_and_keeps_its_digits() -> None:
    logits = np.array([[0.3, -1.0, -2.0, -3.0, -4.0, -5.0], [-30.0] * 6, [40.0] * 6])
    told = sigmoid(noisy_or_logit(logits))
    assert told[0] == pytest.approx(1 - np.prod(1 - sigmoid(logits[0])), rel=1e-9)
    assert 0 < told[1] < 1e-5
    assert np.isfinite(noisy_or_logit(logits)).all()


def test_calibration_undoes_wrong_slopes_and_joins_the_readings_of_any_harm() -> None:
    generator = np.random.default_rng(5)
    exact = generator.normal(size=(30_000, 7)) * 2 - 1
    labels = (generator.random((30_000, 6)) < sigmoid(exact[:, :6])).astype(np.float32)
    labels[:10_000, 1] = NAN
    found = calibrate(exact / 3 + 2, labels)
    assert found.slopes == pytest.approx(np.full(6, 3.0), abs=0.25)
    assert found.logits(exact / 3 + 2)[:, :6] == pytest.approx(exact[:, :6], abs=0.6)
    told = found.probabilities(exact / 3 + 2)[10_000:, 6]
    truth = (labels[10_000:] == 1).any(axis=1)
    for part in np.array_split(np.argsort(told), 5):
        assert told[part].mean() == pytest.approx(truth[part].mean(), abs=0.03)


def test_average_precision_by_hand() -> None:
    truth = np.array([True, False, True, False])
    assert average_precision(truth, np.array([4.0, 3.0, 2.0, 1.0])) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(truth, np.zeros(4)) == pytest.approx(0.5)  # ties: one step for all
    assert np.isnan(average_precision(np.zeros(4, bool), np.arange(4.0)))


def test_thresholds_by_hand() -> None:
    truth = np.array([True, True, False, True, False])
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.1])
    assert label_threshold(truth, scores, slack=1.0) == 0.6
    assert lowest_precise_threshold(truth, scores, precision=1.0, least_rows=2) == 0.8
    assert lowest_precise_threshold(truth, scores, precision=1.0, least_rows=3) is None


def test_a_label_threshold_gives_up_recall_where_accuracy_would_suffer() -> None:
    # 2 positives on top, 1 far below 20 negatives: the best F1 takes the two, so does the best accuracy.
    truth = np.array([True, False, True] + [False] * 20 + [True])
    scores = np.linspace(1, 0, len(truth))
    assert label_threshold(truth, scores, slack=0.0) == scores[2]
    # With as many positives below, F1 alone would call everything.
    truth = np.array([True] * 2 + [False] * 3 + [True] * 2)
    scores = np.linspace(1, 0, len(truth))
    assert label_threshold(truth, scores, slack=1.0) == scores[-1]
    assert label_threshold(truth, scores, slack=0.0) == scores[1]
    assert label_threshold(truth, scores, slack=1.0, least_accuracy=0.6) == scores[1]
    assert label_threshold(truth, scores, slack=1.0, least_accuracy=0.99) == scores[1]


def test_escalation_keeps_precision_and_the_alert_budget() -> None:
    generator = np.random.default_rng(11)
    truth = (generator.random((6000, 7)) < 0.2).astype(float)
    logits = generator.normal(size=(6000, 7)) + 3 * truth
    benign = (truth == 0).all(axis=1)
    chances = sigmoid(np.asarray(logits - 1, dtype=np.float64))
    thresholds = choose_thresholds(chances, truth, benign)
    assert thresholds.shape == (2, 7)
    assert escalated(chances[benign], thresholds[1].astype(np.float64)) <= ALERT_BUDGET
    for output in range(7):
        called = chances[:, output] >= thresholds[1, output]
        assert truth[called, output].mean() >= 0.9
    assert (thresholds[1] < 1).all()


def test_reading_a_corpus_keeps_unknown_apart_from_zero(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    _write(path, [{"id": "a-1", "source": "a", "text": "hi", "labels": {"SPAM": 0, "TOXIC": 1}}])
    corpus = read_corpus(path)
    assert corpus.labels[0, :2].tolist() == [0, 1]
    assert np.isnan(corpus.labels[0, 2:]).all()


@pytest.mark.parametrize("row", [{"text": "x"}, {"text": "x", "source": "a", "labels": 3}, [1]])
def test_a_malformed_row_is_named(tmp_path: Path, row: object) -> None:
    path = tmp_path / "rows.jsonl.gz"
    _write(path, [row])
    with pytest.raises(CorpusInvalid, match="line 1"):
        read_corpus(path)


def test_a_missing_or_broken_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusInvalid, match="--data"):
        read_corpus(tmp_path / "none.jsonl.gz")
    (tmp_path / "plain.jsonl.gz").write_text("{}")
    with pytest.raises(CorpusInvalid, match="gzip"):
        read_corpus(tmp_path / "plain.jsonl.gz")


def _write(path: Path, rows: list[object]) -> None:
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
