"""Tables of figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from training.evaluation.categories import NAMES, Confusion
from training.evaluation.evaluation import Evaluation
from training.evaluation.figures import Count, Key
from training.evaluation.groups import Group
from training.evaluation.html.elements import Child, Element, tag
from training.evaluation.html.words import METRICS, interval, number, subject
from training.evaluation.resampling import Figure
from training.evaluation.scored import Scorer


def table(headings: Sequence[str], rows: Sequence[Element], *, caption: str = "") -> Element:
    """A table that scrolls by itself where the screen is narrow."""
    names = [
        tag("th", heading, scope="col", class_="" if place else "first")
        for place, heading in enumerate(headings)
    ]
    told = tag("caption", caption) if caption else None
    return tag("div", tag("table", told, tag("thead", tag("tr", names)), tag("tbody", rows)), class_="scroll")


def row(name: Child, *cells: Child, is_few: bool = False) -> Element:
    """A row with its name; `is_few` fades it."""
    looks = "few" if is_few else "enough"
    return tag("tr", tag("th", name, scope="row"), [_cell(child) for child in cells], class_=looks)


def cell(figure: Figure | None, form: str = ".3f") -> Element:
    """A figure and, under it, its interval."""
    if figure is None:
        return tag("td", number(None))
    told = interval(figure, form)
    return tag("td", number(figure.value, form), tag("small", told) if told else None)


def figures_table(
    evaluation: Evaluation, scorer: Scorer, rows: Mapping[str, tuple[Group, str]], *, caption: str
) -> Element:
    """All metrics of one scorer; `rows` has the group and the subject of each row by its name."""
    told = []
    for name, (group, about) in rows.items():
        keys = [Key(group, scorer, about, metric) for metric in METRICS]
        if not any(key in evaluation.figures for key in keys):
            continue
        count = evaluation.counts.get((group, about))
        counted = (f"{count.positives:,}", f"{count.negatives:,}") if count else ("", "")
        cells = [cell(evaluation.figures.get(key)) for key in keys]
        told.append(row(name, *counted, *cells, is_few=not is_enough(count)))
    return table(["", "positive", "negative", *METRICS.values()], told, caption=caption)


def is_enough(count: Count | None) -> bool:
    """Whether a figure says something; means have no count and do."""
    return count is None or count.is_enough


def heat_table(confusion: Confusion) -> Element:
    """A confusion matrix: counts, and as colour the share of the true category."""
    told = []
    for name, counts in zip(NAMES, confusion.counts.tolist(), strict=True):
        total = sum(counts)
        cells = [
            tag(
                "td",
                f"{count:,}",
                tag("small", f"{count / total:.0%}") if total else None,
                class_="heat",
                style=f"--heat: {count / total if total else 0:.3f}",
            )
            for count in counts
        ]
        told.append(row(subject(name), *cells, f"{total:,}"))
    return table(["true \\ final", *map(subject, NAMES), "rows"], told)


def _cell(child: Child) -> Element:
    return child if isinstance(child, Element) and child.tag == "td" else tag("td", child)
