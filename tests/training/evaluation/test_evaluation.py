from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from screener.model import CATEGORIES
from tests.training.evaluation.sample import HALF, SERVED, judged_by, rows_of, sample, scored_by
from training.evaluation.alerts import BENIGN, BENIGN_CHAT, ROUTED, alert_figures
from training.evaluation.calibrations import CONFIDENCE, calibrations
from training.evaluation.categories import NAMES, confusion, was_right
from training.evaluation.evaluation import evaluate
from training.evaluation.fairness import AAE_TO_OTHER, IN_AAE, IN_OTHER, Harmless, fairness_figures
from training.evaluation.figures import Key
from training.evaluation.groups import ALL_LENGTHS, EVERY, Group
from training.evaluation.questions import ANY_HARM_OUTPUT
from training.evaluation.resampling import resampled
from training.evaluation.scored import Scorer
from training.evaluation.targets import standings, target_group

ALL = Group(EVERY, ALL_LENGTHS)
LOW, SPAM, TOXIC, HATE = -1, 0, 1, 3


def test_a_category_is_right_where_its_label_holds() -> None:
    rows = rows_of(
        [
            {"TOXIC": 1, "HATE_SPEECH": 1},
            {"TOXIC": 1, "HATE_SPEECH": 0},
            {"TOXIC": 0, "HATE_SPEECH": 0},
            {"TOXIC": 0, "HATE_SPEECH": 0},
            {"TOXIC": 1, "HATE_SPEECH": 0},
            {"TOXIC": 0, "HATE_SPEECH": 0},
        ]
    )
    category = np.array([TOXIC, HATE, LOW, TOXIC, LOW, SPAM])
    assert np.array_equal(was_right(rows, category), [1, 0, 1, 0, 0, np.nan], equal_nan=True)
    told = confusion(rows, np.ones(6, dtype=bool), category)
    expected = np.zeros((7, 7), dtype=int)
    low, toxic, hate = (NAMES.index(name) for name in ("LOW_RISK", "TOXIC", "HATE_SPEECH"))
    expected[toxic, toxic] = 1  # both labels hold, so TOXIC is right
    expected[toxic, hate] = 1
    expected[low, low] = 1
    expected[low, toxic] = 1
    expected[toxic, low] = 1
    assert np.array_equal(told.counts, expected)
    assert told.not_told == 1  # nobody knows whether it is spam


def test_a_category_is_asked_of_rows_of_which_all_is_known() -> None:
    rows = rows_of([{"TOXIC": 0}, {"TOXIC": 0}, {"TOXIC": 0, "HATE_SPEECH": 0}])
    told = was_right(rows, np.array([LOW, TOXIC, TOXIC]))
    assert np.array_equal(told, [np.nan, np.nan, 0], equal_nan=True)


def test_what_is_missed_counts_by_its_most_specific_label() -> None:
    rows = rows_of([{"TOXIC": 1, "VIOLENCE": 1}])
    told = confusion(rows, np.array([True]), np.array([LOW]))
    assert told.counts[NAMES.index("VIOLENCE"), NAMES.index("LOW_RISK")] == 1


def test_alerts_are_counted_on_harmless_rows_of_chat() -> None:
    rows = rows_of(
        [{"TOXIC": 0}, {"TOXIC": 0}, {"TOXIC": 1}, {}, {"TOXIC": 0}],
        sources=["conda", "jigsaw", "conda", "conda", "olid"],
    )
    scores = np.zeros((5, 6))
    scores[[0, 2, 4]] = 0.95
    weights = resampled(5, resamples=10, seed=1)
    figures, counts = alert_figures(rows, {Scorer.FUSED: judged_by(scores)}, weights)
    assert figures[Key(ALL, Scorer.FUSED, BENIGN_CHAT, ROUTED)][0] == pytest.approx(1 / 2)
    assert figures[Key(ALL, Scorer.FUSED, BENIGN, ROUTED)][0] == pytest.approx(2 / 3)
    assert counts[ALL, BENIGN_CHAT].negatives == 2


def test_fairness_compares_harmless_rows_of_davidson() -> None:
    in_aae, other = "he be working late all week", "he has been working late all week"
    rows = rows_of(
        [{"TOXIC": 0, "HATE_SPEECH": 0}] * 8 + [{"TOXIC": 1, "HATE_SPEECH": 1}] + [{"TOXIC": 0}],
        sources=["davidson"] * 9 + ["olid"],
        texts=[in_aae] * 4 + [other] * 4 + [in_aae, in_aae],
    )
    scores = np.zeros((10, 6))
    scores[[0, 1, 2, 4, 8, 9], TOXIC] = 0.6
    weights = resampled(10, resamples=10, seed=1)
    figures, counts = fairness_figures(rows, {Scorer.FUSED: judged_by(scores)}, weights)
    group = Group(EVERY, ALL_LENGTHS, "davidson")
    told = [figures[Key(group, Scorer.FUSED, "TOXIC", m)][0] for m in (IN_AAE, IN_OTHER, AAE_TO_OTHER)]
    assert told == pytest.approx([3 / 4, 1 / 4, 3])
    assert counts[group, "TOXIC"] == Harmless(4, 4)
    assert np.isnan(figures[Key(group, Scorer.FUSED, "ROUTED", AAE_TO_OTHER)][0])


def test_calibration_is_of_the_model_and_of_the_confidence() -> None:
    rows = rows_of([{"TOXIC": 1}] * 10 + [{"TOXIC": 0}] * 10)
    scores = np.zeros((20, 6))
    scores[:10, TOXIC], scores[10:, TOXIC] = 0.8, 0.2
    scored = replace(
        scored_by(scores), probabilities=np.concatenate([scores, scores.max(axis=1)[:, None]], axis=1)
    )
    told = calibrations(rows, scored)
    assert told[ALL, "TOXIC"].error == pytest.approx(0.2)
    assert told[ALL, ANY_HARM_OUTPUT].error == pytest.approx(0.2)
    assert told[ALL, CONFIDENCE].error == pytest.approx(0.2)
    assert (ALL, "SPAM") not in told


def test_targets_are_told_of_the_test_file_where_it_is_there() -> None:
    rows, scores = sample()
    weights = resampled(len(rows), resamples=100, seed=1)
    evaluation = evaluate(rows, scored_by(scores), weights)
    assert target_group(evaluation) == Group("moderation-test", ALL_LENGTHS)
    told = {standing.target.name: standing for standing in standings(evaluation)}
    here = rows.parts == "moderation-test"
    right = [
        np.mean((scores[known, column] >= 0.5) == (rows.truth[known, column] == 1))
        for column in range(len(CATEGORIES))
        for known in [here & ~np.isnan(rows.truth[:, column])]
    ]
    assert told["accuracy of labels, mean"].figure.value == pytest.approx(np.mean(right))
    assert told["accuracy of labels, lowest"].figure.value == pytest.approx(min(right))
    toxic = evaluation.figures[Key(target_group(evaluation), Scorer.FUSED, "TOXIC", "auprc")]
    assert told["AUPRC, toxic"].figure == toxic
    assert told["AUPRC, toxic"].is_met == (toxic.value is not None and toxic.value >= 0.925)
    assert told["calibration error, largest"].is_met is False


def test_a_target_that_the_rows_do_not_tell_is_neither_met_nor_missed() -> None:
    rows = rows_of([{"TOXIC": 1}, {"TOXIC": 0}])
    evaluation = evaluate(rows, scored_by(np.full((2, 6), 0.1)), resampled(2, resamples=100, seed=1))
    assert target_group(evaluation) == ALL
    met = {standing.target.name: standing.is_met for standing in standings(evaluation)}
    assert met["AUPRC, spam"] is None
    assert met["benign chat routed"] is None
    assert met["AAE to others, toxic"] is None
    assert met["AUPRC, toxic"] is False


def test_a_perfect_scorer_reaches_what_it_can() -> None:
    rows, _ = sample()
    scores = np.nan_to_num(rows.truth, nan=0.0)
    scored = replace(scored_by(scores), served=replace(SERVED, thresholds=HALF))
    evaluation = evaluate(rows, scored, resampled(len(rows), resamples=100, seed=1))
    missed = [standing.target.name for standing in standings(evaluation) if standing.is_met is False]
    assert [name for name in missed if "calibration" not in name] == []
