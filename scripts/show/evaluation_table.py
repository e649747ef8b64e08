"""The evaluation for people, in short."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from screener.model import CATEGORIES
from training.evaluation.comparing import Comparison
from training.evaluation.evaluation import Evaluation
from training.evaluation.figures import MEAN, Key
from training.evaluation.groups import ALL_LENGTHS, EVERY, Group
from training.evaluation.html.words import METRICS
from training.evaluation.html.words import subject as words
from training.evaluation.questions import HARMFUL
from training.evaluation.scored import Scorer
from training.evaluation.targets import standings, target_group

_LOOKS: dict[str, Any] = {"box": None, "padding": (0, 2, 0, 0), "title_justify": "left"}  # 80 columns do
_MARKS = {True: Text("reached", "green"), False: Text("missed", "red"), None: Text("unknown", "dim")}


def targets_table(evaluation: Evaluation) -> Table:
    """What is to be reached and where it stands; low and high are the 95 % interval."""
    of = target_group(evaluation).part or "all rows"
    version = evaluation.served.model_version
    table = Table(title=f"version {version} on {of}", **_LOOKS)
    table.add_column("figure", no_wrap=True)
    for heading in ("linear", "to reach", "is", "low", "high"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for standing in standings(evaluation):
        target = standing.target
        table.add_row(
            target.name,
            _number(target.baseline),
            f"{'≤' if target.at_most else '≥'} {target.reach:.3f}",
            _number(standing.figure.value),
            _number(standing.figure.low),
            _number(standing.figure.high),
            _MARKS[standing.is_met],
        )
    return table


def comparison_table(comparison: Comparison) -> Table:
    """The differences that matter most, of all rows, for the verdicts as they are served."""
    table = Table(title="second version minus first", **_LOOKS)
    for heading in ("figure", "first", "second", "change", "low", "high", "p"):
        is_name = heading == "figure"
        table.add_column(heading, justify="left" if is_name else "right", no_wrap=is_name)
    group = Group(EVERY, ALL_LENGTHS)
    for metric in ("auprc", "accuracy"):
        for subject in (*CATEGORIES, MEAN, HARMFUL):
            found = comparison.differences.get(Key(group, Scorer.FUSED, subject, metric))
            if found is not None:
                table.add_row(
                    f"{METRICS[metric]}, {words(subject)}",
                    _number(found.first),
                    _number(found.second),
                    _number(found.difference.value, "+.3f"),
                    _number(found.difference.low, "+.3f"),
                    _number(found.difference.high, "+.3f"),
                    _number(found.p),
                )
    return table


def _number(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None else f"{value:{form}}"
