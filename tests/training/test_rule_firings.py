"""Rules measured on rows whose labels are known."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.verdict import HARMFUL, Category
from screener.heuristics import Heuristics, Rules
from training.rule_firings import fire, precision, worth

HEURISTICS = Heuristics(Rules.load())
TEXTS = ["you are an idiot", 'he said "you are an idiot" to her', "have a nice day", "you are an idiot!!!"]
FIRINGS = fire(HEURISTICS, TEXTS)
RULES = HEURISTICS.rules.rules


def test_rows_where_something_speaks_against_a_rule_are_not_sure() -> None:
    assert "insult" in FIRINGS.weights[1]
    assert FIRINGS.sure("insult").tolist() == [0, 3]
    assert FIRINGS.sure("zalgo").tolist() == []


def test_a_row_s_result_is_that_of_the_rules() -> None:
    for row, text in enumerate(TEXTS):
        wanted = HEURISTICS.score(text)
        assert FIRINGS.result(row).score == pytest.approx(wanted.score)
        assert FIRINGS.result(row).evidence == wanted.evidence


def test_a_result_without_a_rule_has_neither_its_weight_nor_its_evidence() -> None:
    whole, without = FIRINGS.result(0), FIRINGS.result(0, without="insult")
    toxic = HARMFUL.index(Category.TOXIC)
    assert 1.0 - whole.score == pytest.approx((1.0 - without.score) * (1.0 - RULES["insult"].weight))
    assert (whole.evidence[toxic], without.evidence[toxic]) == (RULES["insult"].evidence[toxic], 0.0)


def test_precision_leaves_out_what_is_unknown() -> None:
    truth = np.array([1.0, 0.0, np.nan, 0.0, 0.0])
    measured = precision(np.array([0, 1, 2]), truth)
    assert (measured.n, measured.share, measured.lift) == (2, 0.5, 2.0)
    assert precision(np.array([2]), truth).n == 0
    assert precision(np.array([], dtype=np.int64), truth).n == 0


def test_worth_is_what_the_ranking_loses() -> None:
    truth = np.array([1.0, np.nan, 0.0, 1.0])
    worths = worth(FIRINGS, truth, lambda _, result: result.score)
    assert all(value == pytest.approx(0.0) for value in worths.values())  # the words alone suffice
    shouted = np.array([0.0, np.nan, 0.0, 1.0])
    worths = worth(FIRINGS, shouted, lambda _, result: result.score)
    assert worths["repeated_punctuation"] == pytest.approx(0.5)  # of two rows that rank first, one is true
    assert worths["insult"] == pytest.approx(0.0)


def test_worth_beside_something_that_knows_all_is_nothing() -> None:
    shouted = np.array([0.0, 0.0, 0.0, 1.0])
    worths = worth(FIRINGS, shouted, lambda row, result: max(result.score, float(shouted[row])))
    assert set(worths.values()) == {0.0}
