"""Rules and model into one judgement: risk, labels, category, confidence, route.

    risk = max(w_h * heuristic + w_m * model, escalation)

The weighted sum alone cannot route a hateful sentence without a bad word (it ends at w_m), so each calibrated
probability p escalates by itself, continuously, around its escalation threshold t and the routing threshold T
(`Policy.threshold`):

    escalation(p) = T * p / t                      for p <= t
                    T + (1 - T) * (p - t) / (1 - t)  above

T stands where a constant 0.7 could: whatever the routing threshold, a probability at its escalation threshold
gives a risk at the routing threshold, and one above it is routed. Seven probabilities escalate: those of the
categories, and that of any harm as the rules have raised it (`confidence.any_harm`). The last one ranks best
by far, for many harms are plain as such and hard to name.

The evidence of the rules escalates by the same formula, but with a threshold of its own, `RULE_ESCALATION`:
evidence is a precision measured on validation data, and must mean the same whichever model version runs. (A
model that is weak in a category has a high threshold there, which is just where a rule is needed.) For the
same reason evidence of at least `RULE_LABEL` labels whatever the model's label threshold is.

An operator's thresholds (`Policy.overrides`) stand in place of both, the model's and the rules': who asks for
surer labels of a category means it whoever gives them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import ModelOutputInvalid
from pipeline.verdict import HARMFUL, Category, Route
from screener.confidence import any_harm, together
from screener.heuristics.result import HeuristicResult

RULE_LABEL = 0.8
"""Evidence from here on labels, even where the model's label threshold is higher."""

RULE_ESCALATION = 0.9
"""Evidence above this is routed to reasoning by itself."""

_LABEL, _ESCALATION = 0, 1
_ANY_HARM = len(HARMFUL)
_WIDTH = _ANY_HARM + 1
_NO_MODEL = (0.0,) * _WIDTH


@dataclass(frozen=True, slots=True)
class Overrides:
    """Thresholds of the operator's: one for each of `HARMFUL` and for any harm, None where there is none."""

    label: tuple[float | None, ...]
    escalation: tuple[float | None, ...]

    def at(self, label: Sequence[float], escalation: Sequence[float]) -> Thresholds:
        """These, and the given ones where there is none."""
        if self is MODEL_S_OWN:
            return Thresholds(tuple(label), tuple(escalation))
        return Thresholds(
            tuple(given if own is None else own for own, given in zip(self.label, label, strict=True)),
            tuple(
                given if own is None else own for own, given in zip(self.escalation, escalation, strict=True)
            ),
        )


MODEL_S_OWN = Overrides((None,) * _WIDTH, (None,) * _WIDTH)
"""No overrides."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on a value labels and escalates: 7 each, in (0, 1]."""

    label: tuple[float, ...]
    escalation: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """How much each part counts, and from which risk on an event is routed to reasoning. All in 0..1."""

    heuristic_weight: float = 0.6
    model_weight: float = 0.4
    threshold: float = 0.7
    overrides: Overrides = MODEL_S_OWN


@dataclass(frozen=True, slots=True)
class Judgement:
    """The parts of a verdict that follow from the rules and the model; meanings as in `Verdict`."""

    risk_score: float
    labels: tuple[Category, ...]
    category: Category
    confidence: float
    scores: tuple[float, ...]
    heuristic_score: float
    model_score: float
    route: Route


def judge(
    heuristics: HeuristicResult,
    probabilities: Sequence[float],
    thresholds: Sequence[Sequence[float]],
    policy: Policy,
) -> Judgement:
    """Judge one event.

    Args:
        heuristics: what the rules say.
        probabilities: 7 calibrated values in 0..1: one for each of `HARMFUL`, then that any harm holds.
        thresholds: [2][7] in (0, 1]: label thresholds, escalation thresholds.
        policy: weights, routing threshold, and the thresholds that replace those given.

    Raises:
        ModelOutputInvalid: a wrong shape, NaN, or a value out of its range.
    """
    known = _checked(probabilities)
    model_score = known[_ANY_HARM]
    harm = any_harm(model_score, heuristics.score)
    in_force = policy.overrides.at(*_checked_thresholds(thresholds))
    return _judgement(
        heuristics,
        known,
        thresholds=in_force,
        risk=max(
            policy.heuristic_weight * heuristics.score + policy.model_weight * model_score,
            escalation(harm, in_force.escalation[_ANY_HARM], policy.threshold),
        ),
        calm=1.0 - harm,
        policy=policy,
    )


def judge_degraded(heuristics: HeuristicResult, policy: Policy) -> Judgement:
    """Judge by the rules alone, the model being away.

    What is unknown has no weight: the heuristic score counts in full, not `heuristic_weight` times, and
    evidence is all that is known of a category. Confidence in LOW_RISK is one minus that score, for nobody
    knows the probability of harm.
    """
    return _judgement(
        heuristics,
        None,
        thresholds=_rules_alone(policy),
        risk=heuristics.score,
        calm=1.0 - heuristics.score,
        policy=policy,
    )


def escalation(value: float, at: float, threshold: float) -> float:
    """The risk that a value in 0..1 gives by itself: `threshold` at `at`, 0 at 0, 1 at 1, linear between."""
    if value <= at:
        return threshold * value / at
    return threshold + (1.0 - threshold) * (value - at) / (1.0 - at)


def _judgement(
    heuristics: HeuristicResult,
    known: Sequence[float] | None,
    *,
    thresholds: Thresholds,
    risk: float,
    calm: float,
    policy: Policy,
) -> Judgement:
    probabilities = _NO_MODEL if known is None else known
    rules = _rules_alone(policy)
    scores: list[float] = []
    standing: list[tuple[float, Category]] = []
    for index, category in enumerate(HARMFUL):
        p, evidence = probabilities[index], heuristics.evidence[index]
        score = evidence if known is None else together(p, evidence)
        scores.append(score)
        risk = max(
            risk,
            escalation(p, thresholds.escalation[index], policy.threshold),
            escalation(evidence, rules.escalation[index], policy.threshold),
        )
        height = max(score / thresholds.label[index], evidence / rules.label[index])
        if height >= 1.0:
            standing.append((height, category))
    standing.sort(key=lambda entry: -entry[0])  # stable: equal heights stay in the order of HARMFUL
    labels = tuple(category for _, category in standing)
    risk = min(max(risk, 0.0), 1.0)
    return Judgement(
        risk_score=risk,
        labels=labels,
        category=labels[0] if labels else Category.LOW_RISK,
        confidence=scores[HARMFUL.index(labels[0])] if labels else calm,
        scores=tuple(scores),
        heuristic_score=heuristics.score,
        model_score=probabilities[_ANY_HARM],
        route=Route.REASONING_QUEUE if risk > policy.threshold else Route.LOW_RISK,
    )


def _rules_alone(policy: Policy) -> Thresholds:
    return policy.overrides.at((RULE_LABEL,) * _WIDTH, (RULE_ESCALATION,) * _WIDTH)


def _checked(probabilities: Sequence[float]) -> tuple[float, ...]:
    values = tuple(float(p) for p in probabilities)
    if len(values) != _WIDTH or not all(0.0 <= p <= 1.0 for p in values):  # NaN compares false
        raise ModelOutputInvalid(f"probabilities are not {_WIDTH} numbers in 0..1")
    return values


def _checked_thresholds(thresholds: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    rows = tuple(tuple(float(t) for t in row) for row in thresholds)
    if len(rows) != 2 or any(len(row) != _WIDTH or not all(0.0 < t <= 1.0 for t in row) for row in rows):
        raise ModelOutputInvalid(f"thresholds are not 2 x {_WIDTH} numbers above 0, at most 1")
    return rows[_LABEL], rows[_ESCALATION]
