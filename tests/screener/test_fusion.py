"""Rules and model into one judgement."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ModelOutputInvalid
from pipeline.verdict import HARMFUL, Category, Flag, Route
from screener.confidence import any_harm, together
from screener.fusion import RULE_ESCALATION, RULE_LABEL, Policy, escalation, judge, judge_degraded
from screener.heuristics.result import NO_EVIDENCE, HeuristicResult
from screener.policy_settings import parse_category_thresholds

POLICY = Policy()
LABEL = (0.3, 0.4, 0.35, 0.2, 0.3, 0.5, 0.4)
ESCALATION = (0.85, 0.95, 0.9, 0.99, 1.0, 0.6, 0.99)
THRESHOLDS = (LABEL, ESCALATION)
QUIET = (0.0,) * 7

unit = st.floats(min_value=0.0, max_value=1.0, allow_nan=False)
threshold = st.floats(min_value=1e-3, max_value=1.0, allow_nan=False)
probabilities = st.lists(unit, min_size=7, max_size=7)
rows = st.lists(threshold, min_size=7, max_size=7)
policies = st.builds(Policy, unit, unit, st.floats(min_value=0.05, max_value=0.95))
evidences = st.lists(unit, min_size=6, max_size=6).map(tuple)


def rules(score: float = 0.0, evidence: tuple[float, ...] = NO_EVIDENCE) -> HeuristicResult:
    flags = (Flag("some_rule", score, 0, 3),) if score else ()
    return HeuristicResult(score=score, flags=flags, evidence=evidence)


def evident(category: Category, value: float) -> tuple[float, ...]:
    return tuple(value if c is category else 0.0 for c in HARMFUL)


def with_one(index: int, value: float) -> list[float]:
    return [value if i == index else 0.0 for i in range(7)]


def test_the_weighted_sum_is_the_design_s() -> None:
    judged = judge(rules(0.5), with_one(6, 0.25), THRESHOLDS, POLICY)
    assert judged.risk_score == pytest.approx(0.6 * 0.5 + 0.4 * 0.25)  # escalation(0.25) is below it
    assert (judged.heuristic_score, judged.model_score) == (0.5, 0.25)


def test_a_quiet_event_is_low_risk_with_full_confidence() -> None:
    judged = judge(rules(), QUIET, THRESHOLDS, POLICY)
    assert judged.risk_score == 0.0
    assert judged.category is Category.LOW_RISK
    assert judged.confidence == 1.0
    assert judged.route is Route.LOW_RISK


def test_confidence_in_low_risk_is_one_minus_any_harm() -> None:
    assert judge(rules(), with_one(6, 0.3), THRESHOLDS, POLICY).confidence == pytest.approx(0.7)


@pytest.mark.parametrize("index", range(6))
def test_a_probability_at_its_escalation_threshold_is_at_the_routing_threshold(index: int) -> None:
    at = judge(rules(), with_one(index, ESCALATION[index]), THRESHOLDS, POLICY)
    assert at.risk_score == pytest.approx(POLICY.threshold)
    assert at.route is Route.LOW_RISK  # only above it


@pytest.mark.parametrize("index", [0, 1, 2, 3, 5])
def test_a_probability_above_its_escalation_threshold_is_routed_alone(index: int) -> None:
    above = judge(rules(), with_one(index, ESCALATION[index] + 0.005), THRESHOLDS, POLICY)
    assert above.route is Route.REASONING_QUEUE


def test_evidence_has_thresholds_of_its_own() -> None:
    at = judge(rules(0.1, evident(Category.VIOLENCE, RULE_ESCALATION)), QUIET, THRESHOLDS, POLICY)
    above = judge(rules(0.1, evident(Category.VIOLENCE, 0.95)), QUIET, THRESHOLDS, POLICY)
    assert at.risk_score == pytest.approx(0.7)
    assert at.route is Route.LOW_RISK
    assert above.risk_score == pytest.approx(0.85)
    assert above.route is Route.REASONING_QUEUE
    assert above.labels == (Category.VIOLENCE,)


def test_evidence_labels_where_the_model_s_threshold_is_out_of_reach() -> None:
    strict = ((1.0,) * 7, (1.0,) * 7)
    judged = judge(rules(0.5, evident(Category.SPAM, RULE_LABEL)), QUIET, strict, POLICY)
    assert judged.labels == (Category.SPAM,)
    assert judged.confidence < 0.5  # nobody else sees it


def test_labels_stand_in_order_of_height_over_their_thresholds() -> None:
    judged = judge(rules(), [0.33, 0.9, 0.36, 0.0, 0.0, 0.0, 0.9], THRESHOLDS, POLICY)
    assert judged.labels == (Category.TOXIC, Category.SPAM, Category.TARGETED_HARASSMENT)
    assert judged.category is Category.TOXIC
    assert judged.confidence == pytest.approx(0.9)


def test_scores_are_what_model_and_rules_say_together() -> None:
    known = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    judged = judge(rules(0.2, evident(Category.TOXIC, 0.9)), known, THRESHOLDS, POLICY)
    assert judged.scores == (0.1, together(0.2, 0.9), 0.3, 0.4, 0.5, 0.6)
    assert judged.confidence == judged.scores[HARMFUL.index(judged.category)]


def test_rules_lower_the_confidence_in_low_risk() -> None:
    quiet, loud = (judge(rules(h), with_one(6, 0.2), THRESHOLDS, POLICY) for h in (0.0, 0.4))
    assert quiet.category is loud.category is Category.LOW_RISK
    assert quiet.confidence == pytest.approx(0.8)
    assert loud.confidence == pytest.approx(1.0 - any_harm(0.2, 0.4))


def test_any_harm_escalates_though_no_category_does() -> None:
    judged = judge(rules(), with_one(6, 0.995), THRESHOLDS, POLICY)
    assert judged.route is Route.REASONING_QUEUE
    assert judge(rules(), with_one(6, 0.985), THRESHOLDS, POLICY).route is Route.LOW_RISK


def test_the_operator_s_thresholds_replace_the_model_s() -> None:
    spam = with_one(0, 0.6)
    assert judge(rules(), spam, THRESHOLDS, POLICY).labels == (Category.SPAM,)
    stricter = Policy(overrides=parse_category_thresholds("SPAM=0.7"))
    assert judge(rules(), spam, THRESHOLDS, stricter).labels == ()
    sooner = Policy(overrides=parse_category_thresholds("SPAM=/0.5"))
    assert judge(rules(), spam, THRESHOLDS, POLICY).route is Route.LOW_RISK
    assert judge(rules(), spam, THRESHOLDS, sooner).route is Route.REASONING_QUEUE


def test_the_operator_s_thresholds_hold_for_the_rules_too() -> None:
    sure = rules(0.3, evident(Category.TOXIC, 0.95))
    stricter = Policy(overrides=parse_category_thresholds("TOXIC=0.97/0.99"))
    for judged in (judge(sure, QUIET, THRESHOLDS, stricter), judge_degraded(sure, stricter)):
        assert (judged.labels, judged.route) == ((), Route.LOW_RISK)
    looser = Policy(overrides=parse_category_thresholds("TOXIC=0.6"))
    assert judge(rules(0.3, evident(Category.TOXIC, 0.65)), QUIET, THRESHOLDS, looser).labels == (
        Category.TOXIC,
    )


def test_degraded_the_heuristic_score_counts_in_full() -> None:
    judged = judge_degraded(rules(0.75), POLICY)
    assert judged.risk_score == 0.75
    assert judged.model_score == 0.0
    assert judged.route is Route.REASONING_QUEUE
    assert judged.confidence == pytest.approx(0.25)


def test_degraded_evidence_labels() -> None:
    judged = judge_degraded(rules(0.4, evident(Category.SEXUAL, 0.85)), POLICY)
    assert judged.category is Category.SEXUAL
    assert judged.route is Route.LOW_RISK


@pytest.mark.parametrize(
    "bad",
    [[0.1] * 6, [0.1] * 8, [math.nan] + [0.0] * 6, [1.5] + [0.0] * 6, [-0.1] + [0.0] * 6, [math.inf] * 7],
)
def test_bad_probabilities_are_refused(bad: list[float]) -> None:
    with pytest.raises(ModelOutputInvalid):
        judge(rules(), bad, THRESHOLDS, POLICY)


@pytest.mark.parametrize(
    "bad",
    [
        (LABEL,),
        (LABEL, ESCALATION[:6]),
        ((0.0, *LABEL[1:]), ESCALATION),
        (LABEL, (math.nan, *ESCALATION[1:])),
        (LABEL, (1.1, *ESCALATION[1:])),
    ],
)
def test_bad_thresholds_are_refused(bad: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(ModelOutputInvalid):
        judge(rules(), QUIET, bad, POLICY)


@given(unit, evidences, probabilities, rows, rows, policies)
def test_what_always_holds(
    score: float,
    evidence: tuple[float, ...],
    known: list[float],
    label: list[float],
    escalate: list[float],
    policy: Policy,
) -> None:
    judged = judge(rules(score, evidence), known, (label, escalate), policy)
    assert 0.0 <= judged.risk_score <= 1.0
    assert 0.0 <= judged.confidence <= 1.0
    assert (judged.category is Category.LOW_RISK) == (not judged.labels)
    assert (judged.route is Route.REASONING_QUEUE) == (judged.risk_score > policy.threshold)
    assert all(
        judged.scores[i] >= label[i] or evidence[i] >= RULE_LABEL
        for i, category in enumerate(HARMFUL)
        if category in judged.labels
    )


@given(unit, evidences, probabilities, st.integers(0, 6), unit)
def test_risk_never_falls_as_a_probability_rises(
    score: float, evidence: tuple[float, ...], known: list[float], index: int, other: float
) -> None:
    low, high = sorted((known[index], other))
    risks = [
        judge(rules(score, evidence), [*known[:index], p, *known[index + 1 :]], THRESHOLDS, POLICY).risk_score
        for p in (low, high)
    ]
    assert risks[0] <= risks[1] + 1e-12


@given(unit, unit, evidences, probabilities)
def test_risk_never_falls_as_the_heuristic_score_rises(
    one: float, other: float, evidence: tuple[float, ...], known: list[float]
) -> None:
    low, high = sorted((one, other))
    quieter, louder = rules(low, evidence), rules(high, evidence)
    with_model = [judge(result, known, THRESHOLDS, POLICY).risk_score for result in (quieter, louder)]
    assert with_model[0] <= with_model[1] + 1e-12
    without = [judge_degraded(result, POLICY).risk_score for result in (quieter, louder)]
    assert without[0] <= without[1] + 1e-12


@given(threshold, unit)
def test_escalation_is_continuous_and_reaches_its_ends(at: float, routing: float) -> None:
    assert escalation(0.0, at, routing) == 0.0
    assert escalation(at, at, routing) == pytest.approx(routing)
    above = math.nextafter(at, 2.0)
    if above < 1.0 and 1.0 - at > 1e-9:
        assert escalation(above, at, routing) == pytest.approx(routing, abs=1e-6)
        assert escalation(1.0, at, routing) == pytest.approx(1.0)


def test_the_rules_raise_what_any_harm_escalates_by() -> None:
    almost = with_one(6, 0.98)
    assert judge(rules(), almost, THRESHOLDS, POLICY).route is Route.LOW_RISK
    assert judge(rules(0.6), almost, THRESHOLDS, POLICY).route is Route.REASONING_QUEUE
