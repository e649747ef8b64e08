"""Probabilities of the model and precisions of the rules as one probability, for scores and confidence.

Both are calibrated by themselves, yet not independent: a rule fires on words that the model has read too. So
they are never multiplied up: where a rule is surer than the model, the truth lies between the two, nearer to
the rule. docs/heuristics.md tells how well that holds on the validation data.
"""

from __future__ import annotations

import math

HARM_PER_SCORE = 2.0
"""Log-odds that a heuristic score of 1 adds to the probability that any harm holds."""

RULE_SHARE = 2 / 3
"""How far from the model towards the rule, in log-odds: the share with the least squared error on the
validation split, beside a weak model and a stronger one."""

_NEAREST = 0.01
"""Nothing counts as surer than this beside the other part: log-odds have no end."""

_LEAST = 1e-6
"""Where log-odds end that only one part moves."""


def together(probability: float, evidence: float) -> float:
    """The probability of a category, from the model's and from the precision of the rules that show it.

    Never below the model's, never above the larger; without evidence the model's own.
    """
    if evidence <= probability:
        return probability
    model, rules = (min(max(value, _NEAREST), 1.0 - _NEAREST) for value in (probability, evidence))
    between = _logistic((1.0 - RULE_SHARE) * _log_odds(model) + RULE_SHARE * _log_odds(rules))
    return max(probability, min(evidence, between))


def any_harm(probability: float, heuristic_score: float) -> float:
    """The probability that any harm holds, from the model's and the score of the rules."""
    if not heuristic_score:
        return probability
    bounded = min(max(probability, _LEAST), 1.0 - _LEAST)
    return max(probability, _logistic(_log_odds(bounded) + HARM_PER_SCORE * heuristic_score))


def _log_odds(probability: float) -> float:
    return math.log(probability / (1.0 - probability))


def _logistic(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds))
