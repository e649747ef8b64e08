"""`evaluation.json`: every figure as one record, so that any tool can pick the ones it wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from training.evaluation.categories import NAMES
from training.evaluation.comparing import Comparison, Difference
from training.evaluation.evaluation import Evaluation
from training.evaluation.figures import Key
from training.evaluation.groups import Group
from training.evaluation.scored import Served
from training.evaluation.targets import standings

Record = dict[str, Any]


def to_json(evaluation: Evaluation, about: Mapping[str, Any]) -> Record:
    """The evaluation as what JSON can hold; `about` tells of the run and comes as it is."""
    return {
        "about": dict(about),
        "served": served_json(evaluation.served),
        "targets": [
            {
                "figure": standing.target.name,
                "reach": standing.target.reach,
                "at_most": standing.target.at_most,
                "baseline": standing.target.baseline,
                **asdict(standing.figure),
                "met": standing.is_met,
            }
            for standing in standings(evaluation)
        ],
        "figures": [{**key_json(key), **asdict(figure)} for key, figure in evaluation.figures.items()],
        "counts": [
            {**group_json(group), "subject": subject, **asdict(count)}
            for (group, subject), count in evaluation.counts.items()
        ],
        "harmless_by_dialect": [
            {**group_json(group), "subject": subject, **asdict(count)}
            for (group, subject), count in evaluation.harmless.items()
        ],
        "calibration": [
            {**group_json(group), "subject": subject, **asdict(calibration)}
            for (group, subject), calibration in evaluation.calibrations.items()
        ],
        "confusion": [
            {
                **group_json(group),
                "scorer": scorer.value,
                "names": NAMES,
                "counts": confusion.counts.tolist(),
                "not_told": confusion.not_told,
            }
            for (group, scorer), confusion in evaluation.confusions.items()
        ],
        "curves": [
            {"subject": subject, "scorer": scorer.value, "recall_and_precision": curve}
            for (subject, scorer), curve in evaluation.curves.items()
        ],
    }


def comparison_json(comparison: Comparison, first: Served) -> Record:
    """The comparison: `first` is what was compared with, every difference is the second minus the first."""
    return {
        "against": served_json(first),
        "differences": [
            {**key_json(key), **_difference_json(found)} for key, found in comparison.differences.items()
        ],
        "mcnemar": [
            {**group_json(group), "subject": subject, **asdict(test)}
            for (group, subject), test in comparison.mcnemar.items()
        ],
        "calibration": [
            {**group_json(group), "subject": subject, "first": first, "second": second}
            for (group, subject), (first, second) in comparison.calibration_errors.items()
        ],
    }


def served_json(served: Served) -> Record:
    """What was in service."""
    return {**asdict(served), "settings": dict(served.settings)}


def group_json(group: Group) -> Record:
    """Which rows; an empty part or source stands for all."""
    return asdict(group)


def key_json(key: Key) -> Record:
    """Which figure."""
    return {
        **group_json(key.group),
        "scorer": key.scorer.value,
        "subject": key.subject,
        "metric": key.metric,
    }


def _difference_json(found: Difference) -> Record:
    difference = found.difference
    return {
        "first": found.first,
        "second": found.second,
        "difference": difference.value,
        "low": difference.low,
        "high": difference.high,
        "p": found.p,
    }
