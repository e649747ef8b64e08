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
from math import isnan
from typing import NamedTuple

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


class Judgement(NamedTuple):
    """The parts of a verdict that follow from the rules and the model; meanings as in `Verdict`."""

    risk_score: float
    labels: tuple[Category, ...]
    category: Category
    confidence: float
    scores: tuple[float, ...]
    heuristic_score: float
    model_score: float
    route: Route


@dataclass(frozen=True, slots=True)
class Scale:
    """A policy beside the thresholds of one model version: what all events of a batch are judged by.

    Attributes:
        policy: weights and routing threshold.
        model: the thresholds in force for what the model says.
        rules: those for the evidence of the rules.
    """

    policy: Policy
    model: Thresholds
    rules: Thresholds

    @classmethod
    def of(cls, policy: Policy, thresholds: Sequence[Sequence[float]]) -> Scale:
        """Joins them.

        Args:
            policy: weights, routing threshold, and the thresholds that replace those given.
            thresholds: [2][7] in (0, 1]: label thresholds, escalation thresholds.

        Raises:
            ModelOutputInvalid: thresholds of a wrong shape, NaN, or out of their range.
        """
        return cls(policy, policy.overrides.at(*_checked_thresholds(thresholds)), _rules_alone(policy))

    def judge(self, heuristics: HeuristicResult, probabilities: Sequence[float]) -> Judgement:
        """Judge one event.

        Args:
            heuristics: what the rules say.
            probabilities: 7 calibrated values in 0..1: one for each of `HARMFUL`, then that any harm holds.

        Raises:
            ModelOutputInvalid: probabilities of a wrong number, NaN, or out of their range.
        """
        known = _checked(probabilities)
        model_score = known[_ANY_HARM]
        harm = any_harm(model_score, heuristics.score)
        return _judgement(
            heuristics,
            known,
            scale=self,
            risk=max(
                self.policy.heuristic_weight * heuristics.score + self.policy.model_weight * model_score,
                escalation(harm, self.model.escalation[_ANY_HARM], self.policy.threshold),
            ),
            calm=1.0 - harm,
        )


def judge(
    heuristics: HeuristicResult,
    probabilities: Sequence[float],
    thresholds: Sequence[Sequence[float]],
    policy: Policy,
) -> Judgement:
    """Judge one event; arguments and errors as `Scale` has them."""
    return Scale.of(policy, thresholds).judge(heuristics, probabilities)


def judge_degraded(heuristics: HeuristicResult, policy: Policy) -> Judgement:
    """Judge by the rules alone, the model being away.

    What is unknown has no weight: the heuristic score counts in full, not `heuristic_weight` times, and
    evidence is all that is known of a category. Confidence in LOW_RISK is one minus that score, for nobody
    knows the probability of harm.
    """
    rules = _rules_alone(policy)
    return _judgement(
        heuristics,
        None,
        scale=Scale(policy, rules, rules),
        risk=heuristics.score,
        calm=1.0 - heuristics.score,
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
    scale: Scale,
    risk: float,
    calm: float,
) -> Judgement:
    probabilities = _NO_MODEL if known is None else known
    threshold = scale.policy.threshold
    label, escalates = scale.model.label, scale.model.escalation
    scores: list[float] = []
    standing: list[tuple[float, int]] = []
    for index, evidence in enumerate(heuristics.evidence):
        p = probabilities[index]
        risk = max(risk, escalation(p, escalates[index], threshold))
        score, height = p, p / label[index]
        if evidence:  # most texts have none, and what it says is then nothing
            score = evidence if known is None else together(p, evidence)
            risk = max(risk, escalation(evidence, scale.rules.escalation[index], threshold))
            height = max(score / label[index], evidence / scale.rules.label[index])
        scores.append(score)
        if height >= 1.0:
            standing.append((height, index))
    if len(standing) > 1:
        standing.sort(key=_height, reverse=True)  # stable: equal heights stay in the order of HARMFUL
    labels = tuple([HARMFUL[index] for _, index in standing])
    risk = min(max(risk, 0.0), 1.0)
    return Judgement(
        risk_score=risk,
        labels=labels,
        category=labels[0] if labels else Category.LOW_RISK,
        confidence=scores[standing[0][1]] if standing else calm,
        scores=tuple(scores),
        heuristic_score=heuristics.score,
        model_score=probabilities[_ANY_HARM],
        route=Route.REASONING_QUEUE if risk > threshold else Route.LOW_RISK,
    )


def _height(standing: tuple[float, int]) -> float:
    return standing[0]


def _rules_alone(policy: Policy) -> Thresholds:
    return policy.overrides.at((RULE_LABEL,) * _WIDTH, (RULE_ESCALATION,) * _WIDTH)


def _checked(probabilities: Sequence[float]) -> tuple[float, ...]:
    values = tuple(map(float, probabilities))
    # NaN passes a comparison unseen, but not the sum.
    if len(values) != _WIDTH or min(values) < 0.0 or max(values) > 1.0 or isnan(sum(values)):
        raise ModelOutputInvalid(f"probabilities are not {_WIDTH} numbers in 0..1")
    return values


def _checked_thresholds(thresholds: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    rows = tuple(tuple(float(t) for t in row) for row in thresholds)
    if len(rows) != 2 or any(len(row) != _WIDTH or not all(0.0 < t <= 1.0 for t in row) for row in rows):
        raise ModelOutputInvalid(f"thresholds are not 2 x {_WIDTH} numbers above 0, at most 1")
    return rows[_LABEL], rows[_ESCALATION]
