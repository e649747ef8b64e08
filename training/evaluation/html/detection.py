"""How well harm is found: the targets, the labels, the curves, the sources."""

from __future__ import annotations

from collections.abc import Sequence

from screener.model import CATEGORIES
from training.evaluation.evaluation import Evaluation
from training.evaluation.figures import MEAN, Key
from training.evaluation.groups import ALL_LENGTHS, EVERY, Group
from training.evaluation.html.elements import Child, Element, tag
from training.evaluation.html.parts import folded, plot, section
from training.evaluation.html.plots import Bar, bars, precision_recall
from training.evaluation.html.tables import cell, figures_table, is_enough, row, table
from training.evaluation.html.words import LENGTHS, SCORERS, number, subject
from training.evaluation.questions import ANY_HARM_OUTPUT, HARMFUL, HARMFUL_IF_ANY
from training.evaluation.scored import Scorer
from training.evaluation.targets import standings, target_group

_EVERYTHING = Group(EVERY, ALL_LENGTHS)
_ASKED = (*CATEGORIES, MEAN, HARMFUL, HARMFUL_IF_ANY, ANY_HARM_OUTPUT)
_MARKS = {True: ("reached", "good"), False: ("missed", "bad"), None: ("unknown", "faint")}


def targets(evaluation: Evaluation) -> Element:
    """What is to be reached."""
    told = []
    for standing in standings(evaluation):
        target = standing.target
        word, looks = _MARKS[standing.is_met]
        told.append(
            row(
                target.name,
                cell(standing.figure),
                f"{'≤' if target.at_most else '≥'} {target.reach:.3f}",
                tag("td", word, class_=looks),
                number(target.baseline),
            )
        )
    of = target_group(evaluation).part or "all rows"
    headings = ["", "is", "to reach", "", "linear head"]
    return section("targets", "What is to be reached", table(headings, told, caption=f"fused, on {of}"))


def labels(evaluation: Evaluation) -> Element:
    """Every question, scorer and file."""
    parts: list[Child] = [
        tag(
            "p",
            "Precision, recall and accuracy are those of the labels as they are served; small numbers are"
            " 95 % intervals. Unknown labels take no part.",
        )
    ]
    files = sorted({key.group.part for key in evaluation.figures})
    for lengths, told in LENGTHS.items():
        for file in files:
            rows = {subject(name): (Group(file, lengths), name) for name in _ASKED}
            for scorer, who in SCORERS.items():
                caption = f"{who}, {told}{f', {file}' if file else ''}"
                is_open = lengths == ALL_LENGTHS and not file and scorer is Scorer.FUSED
                shown = figures_table(evaluation, scorer, rows, caption=caption)
                parts.append(shown if is_open else folded(caption, shown))
    return section("labels", "Labels", parts)


def curves(evaluation: Evaluation) -> Element:
    """Precision over recall."""
    plots = []
    for name in (*CATEGORIES, HARMFUL):
        count = evaluation.counts.get((_EVERYTHING, name))
        if count is None or not count.positives:
            continue
        plots.append(
            plot(
                subject(name),
                f"{count.positives:,} of {count.positives + count.negatives:,} rows",
                precision_recall(
                    subject(name),
                    {scorer: evaluation.curves[name, scorer] for scorer in reversed(SCORERS)},
                    _in_service(evaluation, name),
                    count.positives / (count.positives + count.negatives),
                ),
            )
        )
    return section(
        "curves",
        "Precision and recall",
        tag("p", "A dot is the threshold in service; the dashed line is what chance would give."),
        tag("div", [tag("span", tag("i"), who, class_=s.value) for s, who in SCORERS.items()], class_="key"),
        tag("div", plots, class_="plots"),
    )


def sources(evaluation: Evaluation) -> Element:
    """Each label by source."""
    plots, tables = [], []
    for name in (*CATEGORIES, HARMFUL):
        groups = [
            group
            for group, about in evaluation.counts
            if about == name and group.source != EVERY and group.lengths == ALL_LENGTHS
        ]
        if not groups:
            continue
        plots.append(_sources_plot(evaluation, groups, name))
        for lengths, told in LENGTHS.items():
            rows = {g.source: (Group(EVERY, lengths, g.source), name) for g in groups}
            rows["mean of sources"] = (Group(EVERY, lengths, MEAN), name)
            tables += [
                folded(
                    f"{subject(name)}, {who}, {told}",
                    figures_table(evaluation, scorer, rows, caption=f"{subject(name)}, {who}, {told}"),
                )
                for scorer, who in SCORERS.items()
            ]
    return section(
        "sources",
        "Sources",
        tag(
            "p",
            "AUPRC of the fused scores; the line is the 95 % interval, the dashed stroke what chance would"
            " give. Pale: fewer than ten rows of a class. Sources that know one class alone are left out.",
        ),
        tag("div", plots, class_="plots"),
        folded("All figures by source", *tables),
    )


def _in_service(evaluation: Evaluation, name: str) -> dict[Scorer, tuple[float, float]]:
    points = {}
    for scorer in SCORERS:
        recall = evaluation.figures[Key(_EVERYTHING, scorer, name, "recall")].value
        precision = evaluation.figures[Key(_EVERYTHING, scorer, name, "precision")].value
        if recall is not None and precision is not None:
            points[scorer] = (recall, precision)
    return points


def _sources_plot(evaluation: Evaluation, groups: Sequence[Group], name: str) -> Element:
    counts = [evaluation.counts[group, name] for group in groups]
    of_label = [
        _bar(evaluation, group, name)
        for group, count in zip(groups, counts, strict=True)
        if count.positives and count.negatives
    ]
    of_label.sort(key=lambda bar: (bar.is_few, -(bar.figure.value or 0)))
    mean = evaluation.figures.get(Key(Group(EVERY, ALL_LENGTHS, MEAN), Scorer.FUSED, name, "auprc"))
    note = f"mean of sources {number(mean.value)}" if mean else ""
    return plot(subject(name), note, bars(f"AUPRC by source, {subject(name)}", of_label))


def _bar(evaluation: Evaluation, group: Group, name: str) -> Bar:
    count = evaluation.counts[group, name]
    figure = evaluation.figures[Key(group, Scorer.FUSED, name, "auprc")]
    base = count.positives / (count.positives + count.negatives)
    return Bar(group.source, figure, base, is_few=not is_enough(count))
