"""`Report`: an evaluation, and where there is another version's, the comparison with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.evaluation.comparing import Comparison, compare
from training.evaluation.evaluation import Evaluation, evaluate
from training.evaluation.resampling import resampled
from training.evaluation.rows import Rows
from training.evaluation.scored import Scored
from training.evaluation.to_json import comparison_json, to_json


@dataclass(frozen=True, slots=True)
class Report:
    """What a run tells; `first` is the evaluation of the version compared with."""

    evaluation: Evaluation
    first: Evaluation | None = None
    comparison: Comparison | None = None


def make_report(
    rows: Rows, scored: Scored, first: Scored | None = None, *, resamples: int, seed: int
) -> Report:
    """Evaluates the scores of n rows, and those of another version, `first`, on the same resamples."""
    weights = resampled(len(rows), resamples=resamples, seed=seed)
    evaluation = evaluate(rows, scored, weights)
    if first is None:
        return Report(evaluation)
    of_first = evaluate(rows, first, weights)
    return Report(evaluation, of_first, compare(rows, of_first, evaluation))


def report_json(report: Report, about: Mapping[str, Any]) -> dict[str, Any]:
    """The report as what JSON can hold; `about` tells of the run and comes as it is."""
    told = to_json(report.evaluation, about)
    if report.first is not None and report.comparison is not None:
        told["comparison"] = comparison_json(report.comparison, report.first.served)
    return told
