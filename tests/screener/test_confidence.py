"""Model and rules as one probability."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screener.confidence import any_harm, together

unit = st.floats(min_value=0.0, max_value=1.0, allow_nan=False)


def test_a_silent_rule_changes_nothing() -> None:
    assert together(0.37, 0.0) == 0.37
    assert any_harm(0.37, 0.0) == 0.37


def test_a_surer_rule_draws_the_probability_most_of_the_way_in_log_odds() -> None:
    assert together(0.5, 8 / 9) == pytest.approx(0.8)  # odds 1 and 8: two thirds of the way are 4
    assert 0.5 < together(0.1, 0.9) < 0.9


def test_a_rule_that_is_less_sure_than_the_model_changes_nothing() -> None:
    assert together(0.97, 0.9) == 0.97


def test_the_rules_raise_the_probability_of_any_harm() -> None:
    assert any_harm(0.5, 1.0) == pytest.approx(0.8808, abs=1e-4)  # e^2 to 1
    assert 0.1 < any_harm(0.1, 0.3) < 0.2


def test_a_rule_is_less_sure_where_the_model_excludes_what_it_says() -> None:
    assert together(0.0, 0.95) == together(0.01, 0.95)
    assert 0.5 < together(0.0, 0.95) < together(0.3, 0.95) < 0.95


@given(unit, unit)
def test_together_lies_between_the_two(probability: float, evidence: float) -> None:
    assert probability <= together(probability, evidence) <= max(probability, evidence)


@given(unit, unit, unit)
def test_neither_falls_as_a_part_rises(one: float, other: float, fixed: float) -> None:
    low, high = sorted((one, other))
    assert together(low, fixed) <= together(high, fixed) + 1e-12
    assert together(fixed, low) <= together(fixed, high) + 1e-12
    assert any_harm(low, fixed) <= any_harm(high, fixed) + 1e-12
    assert any_harm(fixed, low) <= any_harm(fixed, high) + 1e-12


@given(unit, unit)
def test_both_are_probabilities(probability: float, other: float) -> None:
    assert 0.0 <= together(probability, other) <= 1.0
    assert probability <= any_harm(probability, other) <= 1.0
