"""Two versions side by side."""

from __future__ import annotations

from screener.model import CATEGORIES
from training.evaluation.comparing import TESTED_TOGETHER, Comparison, Difference, holm
from training.evaluation.figures import MEAN, Key
from training.evaluation.groups import ALL_LENGTHS, EVERY, Group
from training.evaluation.html.elements import Child, Element, tag
from training.evaluation.html.parts import folded
from training.evaluation.html.plots import Bar, differences
from training.evaluation.html.tables import cell, row, table
from training.evaluation.html.words import LENGTHS, METRICS, SCORERS, metric, number, subject
from training.evaluation.questions import HARMFUL
from training.evaluation.scored import Scorer, Served

_SHOWN = (*CATEGORIES, MEAN, HARMFUL)
_HEADINGS = ("", "first", "second", "difference", "p")


def comparison_section(comparison: Comparison, first: Served, second: Served) -> Element:
    """Every figure of the labels with its difference, plots of the main ones, and McNemar's test."""
    group = Group(EVERY, ALL_LENGTHS)
    names = f"{_name(first)} (first) and {_name(second)} (second)"
    plots = [
        tag(
            "figure",
            tag("figcaption", METRICS[measured], tag("small", "second minus first, fused, all rows")),
            differences(
                f"differences in {METRICS[measured]}",
                [
                    Bar(subject(about), comparison.differences[key].difference)
                    for about in _SHOWN
                    for key in [Key(group, Scorer.FUSED, about, measured)]
                    if key in comparison.differences
                ],
            ),
        )
        for measured in ("auprc", "accuracy")
    ]
    return tag(
        "section",
        tag("h2", "Two versions"),
        tag(
            "p",
            f"{names}, on the same rows and the same resamples. p is that of a paired bootstrap, two-sided;"
            " “of six” is corrected for the six labels (Holm).",
        ),
        tag("div", plots, class_="plots"),
        [
            _labels_table(comparison, Group(EVERY, lengths), scorer, told)
            for lengths in LENGTHS
            for scorer, told in SCORERS.items()
        ],
        _everything_else(comparison),
        _mcnemar_table(comparison),
        _calibration_table(comparison),
        id="versions",
    )


def _name(served: Served) -> str:
    return f"version {served.model_version}"


def _labels_table(comparison: Comparison, group: Group, scorer: Scorer, who: str) -> Element:
    told = []
    for measured, name in METRICS.items():
        keys = [Key(group, scorer, about, measured) for about in _SHOWN]
        found = {key.subject: comparison.differences[key] for key in keys if key in comparison.differences}
        tested = [about for about in TESTED_TOGETHER if about in found and found[about].p is not None]
        of_six = dict(zip(tested, holm([found[about].p or 0.0 for about in tested]), strict=True))
        told += [
            _difference_row(f"{name}, {subject(about)}", one, of_six.get(about))
            for about, one in found.items()
        ]
    caption = f"{who}, {LENGTHS[group.lengths]}"
    shown = table([*_HEADINGS, "p, of six"], told, caption=caption)
    if scorer is Scorer.FUSED and group.lengths == ALL_LENGTHS:
        return shown
    return folded(caption, shown)


def _everything_else(comparison: Comparison) -> Element:
    """What is fused, of all lengths and files, and not in the table of the labels."""
    told = []
    for key, found in comparison.differences.items():
        group = key.group
        is_shown = group.source == EVERY and key.subject in _SHOWN and key.metric in METRICS
        if (
            key.scorer is Scorer.FUSED
            and (group.part, group.lengths) == (EVERY, ALL_LENGTHS)
            and not is_shown
        ):
            name = f"{metric(key.metric)}, {subject(key.subject)}"
            source = "mean of sources" if group.source == MEAN else group.source
            told.append(_difference_row(f"{source}: {name}" if source else name, found))
    caption = "sources, final category, alerts and dialect"
    return folded(caption, table(_HEADINGS, told, caption=f"{caption}; fused, all rows"))


def _difference_row(name: str, found: Difference, *more: float | None) -> Element:
    return row(
        name,
        number(found.first),
        number(found.second),
        cell(found.difference, "+.3f"),
        number(found.p),
        *map(number, more),
    )


def _calibration_table(comparison: Comparison) -> Element:
    told = [
        row(
            f"{subject(about)}, {LENGTHS[group.lengths]}",
            number(first),
            number(second),
            number(second - first, "+.3f"),
        )
        for (group, about), (first, second) in comparison.calibration_errors.items()
        if group.part == EVERY
    ]
    return table(["", "first", "second", "difference"], told, caption="expected calibration error")


def _mcnemar_table(comparison: Comparison) -> Child:
    told = []
    for lengths in LENGTHS:
        group = Group(EVERY, lengths)
        found = {about: test for (of, about), test in comparison.mcnemar.items() if of == group}
        tested = [about for about in TESTED_TOGETHER if about in found]
        of_six = dict(zip(tested, holm([found[about].p for about in tested]), strict=True))
        told += [
            row(
                f"{subject(about)}, {LENGTHS[lengths]}",
                f"{test.only_first_right:,}",
                f"{test.only_second_right:,}",
                f"{test.p:.3g}",
                number(of_six.get(about)),
            )
            for about, test in found.items()
        ]
    headings = ["", "only the first right", "only the second right", "p", "p, of six"]
    return table(headings, told, caption="labels as served: McNemar's exact test")
