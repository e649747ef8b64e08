"""What the detection has to reach, and where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from screener.model import CATEGORIES
from training.evaluation.alerts import BENIGN_CHAT
from training.evaluation.alerts import ROUTED as ROUTED_SHARE
from training.evaluation.evaluation import Evaluation
from training.evaluation.fairness import AAE_TO_OTHER, ROUTED, SOURCE
from training.evaluation.figures import MEAN, Key
from training.evaluation.groups import ALL_LENGTHS, EVERY, Group
from training.evaluation.questions import HARMFUL
from training.evaluation.resampling import Figure, figure
from training.evaluation.scored import Scorer

PART = "moderation-test"
"""The part that the targets are set for; where the rows have no such part, they are told of all rows."""

_UNTOLD = Figure(None)


@dataclass(frozen=True, slots=True)
class Target:
    """A figure to reach, at least or at most; `baseline`: what a linear head on the frozen embedding has."""

    name: str
    reach: float
    at_most: bool
    baseline: float | None
    tell: Callable[[Evaluation, Group], Figure]


@dataclass(frozen=True, slots=True)
class Standing:
    """A target with the figure that it is about."""

    target: Target
    figure: Figure

    @property
    def is_met(self) -> bool | None:
        """Whether it is; None where the rows do not tell."""
        if self.figure.value is None:
            return None
        if self.target.at_most:
            return self.figure.value <= self.target.reach
        return self.figure.value >= self.target.reach


def standings(evaluation: Evaluation) -> list[Standing]:
    """Every target, in the order in which people read them."""
    group = target_group(evaluation)
    return [Standing(target, target.tell(evaluation, group)) for target in TARGETS]


def target_group(evaluation: Evaluation) -> Group:
    """The rows that the targets are told of."""
    group = Group(PART, ALL_LENGTHS)
    return group if any(key.group == group for key in evaluation.figures) else Group(EVERY, ALL_LENGTHS)


def _fused(subject: str, metric: str) -> Callable[[Evaluation, Group], Figure]:
    def tell(evaluation: Evaluation, group: Group) -> Figure:
        return evaluation.figures.get(Key(group, Scorer.FUSED, subject, metric), _UNTOLD)

    return tell


def _lowest_accuracy(evaluation: Evaluation, group: Group) -> Figure:
    keys = [Key(group, Scorer.FUSED, label, "accuracy") for label in CATEGORIES]
    found = [evaluation.samples[key] for key in keys if key in evaluation.samples]
    return figure(np.min(found, axis=0)) if found else _UNTOLD


def _fairness(subject: str) -> Callable[[Evaluation, Group], Figure]:
    def tell(evaluation: Evaluation, _: Group) -> Figure:
        group = Group(EVERY, ALL_LENGTHS, SOURCE)
        return evaluation.figures.get(Key(group, Scorer.FUSED, subject, AAE_TO_OTHER), _UNTOLD)

    return tell


def _mean_error(evaluation: Evaluation, group: Group) -> Figure:
    errors = _errors(evaluation, group)
    return Figure(sum(errors) / len(errors) if errors else None)


def _largest_error(evaluation: Evaluation, group: Group) -> Figure:
    return Figure(max(_errors(evaluation, group), default=None))


def _errors(evaluation: Evaluation, group: Group) -> list[float]:
    return [
        evaluation.calibrations[group, label].error
        for label in CATEGORIES
        if (group, label) in evaluation.calibrations
    ]


def _at_least(
    name: str, reach: float, baseline: float | None, tell: Callable[[Evaluation, Group], Figure]
) -> Target:
    return Target(name, reach, at_most=False, baseline=baseline, tell=tell)


def _at_most(name: str, reach: float, tell: Callable[[Evaluation, Group], Figure]) -> Target:
    return Target(name, reach, at_most=True, baseline=None, tell=tell)


TARGETS = (
    _at_least("AUPRC, spam", 0.970, 0.919, _fused("SPAM", "auprc")),
    _at_least("AUPRC, toxic", 0.925, 0.861, _fused("TOXIC", "auprc")),
    _at_least("AUPRC, targeted harassment", 0.880, 0.806, _fused("TARGETED_HARASSMENT", "auprc")),
    _at_least("AUPRC, hate speech", 0.680, 0.516, _fused("HATE_SPEECH", "auprc")),
    _at_least("AUPRC, violence", 0.780, 0.557, _fused("VIOLENCE", "auprc")),
    _at_least("AUPRC, sexual", 0.950, 0.849, _fused("SEXUAL", "auprc")),
    _at_least("accuracy of labels, mean", 0.95, 0.92, _fused(MEAN, "accuracy")),
    _at_least("accuracy of labels, lowest", 0.88, None, _lowest_accuracy),
    _at_least("harmful or not, accuracy", 0.92, None, _fused(HARMFUL, "accuracy")),
    _at_most("benign chat routed", 0.01, _fused(BENIGN_CHAT, ROUTED_SHARE)),
    _at_most("calibration error, mean", 0.03, _mean_error),
    _at_most("calibration error, largest", 0.07, _largest_error),
    _at_most("AAE to others, toxic", 1.25, _fairness("TOXIC")),
    _at_most("AAE to others, hate speech", 1.25, _fairness("HATE_SPEECH")),
    _at_most("AAE to others, routed", 1.25, _fairness(ROUTED)),
)
"""In the order in which people read them. "AAE to others" is the ratio of false positive rates, of texts in
African American English and of others (`fairness`)."""
