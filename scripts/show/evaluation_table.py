"""The evaluation for people, in short."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from screener.model import CATEGORIES
from training.evaluation.comparing import Comparison
from training.evaluation.evaluation import Evaluation
from training.evaluation.figures import MEAN, Key
from training.evaluation.groups import ALL_LENGTHS, EVERY, Group
from training.evaluation.questions import HARMFUL
from training.evaluation.resampling import Figure
from training.evaluation.scored import Scorer
from training.evaluation.targets import standings, target_group

_MARKS = {True: Text("reached", "green"), False: Text("missed", "red"), None: Text("unknown", "dim")}


def targets_table(evaluation: Evaluation) -> Table:
    """What is to be reached, and where it stands."""
    of = target_group(evaluation).part or "all rows"
    version = evaluation.served.model_version
    table = Table(title=f"version {version} on {of}", box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("figure")
    for heading in ("linear head", "to reach", "is", "95 % interval"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for standing in standings(evaluation):
        target = standing.target
        table.add_row(
            target.name,
            _number(target.baseline),
            f"{'≤' if target.at_most else '≥'} {target.reach:.3f}",
            _number(standing.figure.value),
            interval(standing.figure),
            _MARKS[standing.is_met],
        )
    return table


def comparison_table(comparison: Comparison) -> Table:
    """The differences that matter most, of all rows, for the verdicts as they are served."""
    table = Table(title="second version minus first", box=box.SIMPLE_HEAD, title_justify="left")
    for heading in ("figure", "first", "second", "difference", "95 % interval", "p"):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    group = Group(EVERY, ALL_LENGTHS)
    for metric in ("auprc", "accuracy"):
        for subject in (*CATEGORIES, MEAN, HARMFUL):
            found = comparison.differences.get(Key(group, Scorer.FUSED, subject, metric))
            if found is not None:
                table.add_row(
                    f"{metric}, {subject}",
                    _number(found.first),
                    _number(found.second),
                    _number(found.difference.value, "+.3f"),
                    interval(found.difference, "+.3f"),
                    _number(found.p),
                )
    return table


def interval(figure: Figure, form: str = ".3f") -> str:
    """Where the figure lies, or a dash."""
    if figure.low is None or figure.high is None:
        return "-"
    return f"{figure.low:{form}} .. {figure.high:{form}}"


def _number(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None else f"{value:{form}}"
