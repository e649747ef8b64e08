from __future__ import annotations

import numpy as np
import pytest

from screener.model import CATEGORIES
from tests.training.evaluation.sample import rows_of, sample, scored_by
from training.evaluation.figures import MEAN, Key, question_figures
from training.evaluation.groups import ALL_LENGTHS, EVERY, WITHOUT_SHORT, Group, groups
from training.evaluation.questions import ANY_HARM_OUTPUT, HARMFUL, questions
from training.evaluation.resampling import Samples, resampled
from training.evaluation.rows import Rows
from training.evaluation.scored import Scorer
from training.metrics import average_precision

ALL = Group(EVERY, ALL_LENGTHS)


def figures_of(rows: Rows, scores: np.ndarray) -> dict[Key, Samples]:  # type: ignore[type-arg]
    weights = resampled(len(rows), resamples=20, seed=1)
    return question_figures(rows, questions(rows, scored_by(scores)), weights)[0]


def test_decisions_by_hand() -> None:
    rows = rows_of([{"TOXIC": 1}, {"TOXIC": 1}, {"TOXIC": 1}, {"TOXIC": 0}, {"TOXIC": 0}, {}])
    scores = np.zeros((6, 6))
    scores[:, 1] = [0.9, 0.6, 0.2, 0.7, 0.1, 0.9]
    found = figures_of(rows, scores)
    assert found[Key(ALL, Scorer.FUSED, "TOXIC", "precision")][0] == pytest.approx(2 / 3)
    assert found[Key(ALL, Scorer.FUSED, "TOXIC", "recall")][0] == pytest.approx(2 / 3)
    assert found[Key(ALL, Scorer.FUSED, "TOXIC", "accuracy")][0] == pytest.approx(3 / 5)
    assert found[Key(ALL, Scorer.FUSED, HARMFUL, "accuracy")][0] == pytest.approx(3 / 5)


def test_unknown_labels_have_no_say() -> None:
    rows, scores = sample(200)
    wild = scores.copy()
    wild[:, 1][np.isnan(rows.truth[:, 1])] = 1.0
    one, other = figures_of(rows, scores), figures_of(rows, wild)
    for metric in ("auprc", "roc_auc", "precision", "recall", "accuracy", "recall_at_95_precision"):
        key = Key(ALL, Scorer.FUSED, "TOXIC", metric)
        assert np.array_equal(one[key], other[key])


def test_every_group_is_told_of_its_own_rows() -> None:
    rows, scores = sample()
    found = figures_of(rows, scores)
    seen = set()
    for group, chosen in groups(rows):
        seen.add(group)
        known = chosen & ~np.isnan(rows.truth[:, 1])
        key = Key(group, Scorer.FUSED, "TOXIC", "auprc")
        if known.any():
            assert found[key][0] == pytest.approx(
                average_precision(rows.truth[known, 1] == 1, scores[known, 1])
            )
        else:
            assert key not in found
    for lengths in (ALL_LENGTHS, WITHOUT_SHORT):
        assert {
            Group(EVERY, lengths),
            Group("moderation-test", lengths),
            Group(EVERY, lengths, "davidson"),
        } <= seen


def test_short_texts_are_left_out_of_the_second_half() -> None:
    rows, scores = sample()
    _, counts = question_figures(
        rows, questions(rows, scored_by(scores)), resampled(300, resamples=2, seed=1)
    )
    all_rows, without = (counts[Group(EVERY, lengths), "TOXIC"] for lengths in (ALL_LENGTHS, WITHOUT_SHORT))
    left_out = (rows.is_short & ~np.isnan(rows.truth[:, 1])).sum()
    assert left_out
    assert (all_rows.positives + all_rows.negatives) - (without.positives + without.negatives) == left_out


def test_means_over_labels_and_over_sources() -> None:
    rows, scores = sample()
    found = figures_of(rows, scores)
    labels = [found[Key(ALL, Scorer.FUSED, label, "auprc")][0] for label in CATEGORIES]
    assert found[Key(ALL, Scorer.FUSED, MEAN, "auprc")][0] == pytest.approx(np.mean(labels))
    of_sources = [
        found[Key(Group(EVERY, ALL_LENGTHS, source), Scorer.FUSED, "HATE_SPEECH", "auprc")][0]
        for source in ("davidson", "stormfront")
    ]
    mean = found[Key(Group(EVERY, ALL_LENGTHS, MEAN), Scorer.FUSED, "HATE_SPEECH", "auprc")][0]
    assert mean == pytest.approx(np.mean(of_sources))


def test_the_model_s_own_output_for_harm_is_asked_with_its_own_threshold() -> None:
    rows = rows_of([{"TOXIC": 1}, {"TOXIC": 0}])
    found = figures_of(rows, np.array([[0.6] * 6, [0.1] * 6]))
    assert found[Key(ALL, Scorer.MODEL, ANY_HARM_OUTPUT, "accuracy")][0] == 1
    assert Key(ALL, Scorer.FUSED, ANY_HARM_OUTPUT, "accuracy") not in found
