"""How far the verdicts can be trusted: calibration, final category, alerts for nothing, dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from screener.model import CATEGORIES
from training.evaluation.alerts import BENIGN, BENIGN_CHAT
from training.evaluation.alerts import ROUTED as ROUTED_SHARE
from training.evaluation.calibrations import CONFIDENCE
from training.evaluation.categories import CATEGORY
from training.evaluation.evaluation import Evaluation
from training.evaluation.fairness import AAE_TO_OTHER, IN_AAE, IN_OTHER, SOURCE
from training.evaluation.fairness import SUBJECTS as FAIRNESS_SUBJECTS
from training.evaluation.figures import Key
from training.evaluation.groups import ALL_LENGTHS, EVERY, WITHOUT_SHORT, Group
from training.evaluation.html.elements import Child, Element, tag
from training.evaluation.html.parts import folded, plot, section
from training.evaluation.html.plots import reliability
from training.evaluation.html.tables import cell, heat_table, row, table
from training.evaluation.html.words import LENGTHS, SCORERS, interval, number, subject
from training.evaluation.questions import ANY_HARM_OUTPUT
from training.evaluation.resampling import Figure
from training.evaluation.scored import Scorer

_EVERYTHING = Group(EVERY, ALL_LENGTHS)


def calibration(evaluation: Evaluation) -> Element:
    """Whether probabilities come true."""
    plots = []
    told = []
    for name in (*CATEGORIES, ANY_HARM_OUTPUT, CONFIDENCE):
        errors: list[float | None] = []
        for lengths in LENGTHS:
            found = evaluation.calibrations.get((Group(EVERY, lengths), name))
            errors += [found.error, found.error_equal_width] if found else [None, None]
        found = evaluation.calibrations.get((_EVERYTHING, name))
        if found is None:
            continue
        told.append(row(subject(name), f"{found.rows:,}", *map(number, errors)))
        plots.append(plot(subject(name), f"error {found.error:.3f}", reliability(subject(name), found.bins)))
    headings = ["", "rows", "error", "ten equal widths", "error, without short", "ten equal widths"]
    return section(
        "calibration",
        "Calibration",
        tag(
            "p",
            "The model's outputs and the confidence of the served verdict, against what is true. Each dot"
            " holds a fifteenth of the rows, with the 95 % interval of the share that came true.",
        ),
        table(headings, told, caption="expected calibration error"),
        tag("div", plots, class_="plots"),
    )


def categories(evaluation: Evaluation) -> Element:
    """The confusion of the final category."""
    parts: list[Child] = [
        tag(
            "p",
            "Of rows of which all is known that their source tells. A row counts once: as right where the"
            " final category is one of its labels, else by the most specific of them.",
        )
    ]
    for lengths, told in LENGTHS.items():
        for scorer, who in SCORERS.items():
            group = Group(EVERY, lengths)
            found = evaluation.confusions[group, scorer]
            right = evaluation.figures.get(Key(group, scorer, CATEGORY, "accuracy"), Figure(None))
            note = tag(
                "p",
                f"Right where it can be told: {number(right.value)} ({interval(right)}). Left out, since the"
                f" source does not tell the final category: {found.not_told:,} rows.",
            )
            if lengths == ALL_LENGTHS and scorer is Scorer.FUSED:
                parts += [heat_table(found), note]
            else:
                parts.append(folded(f"{who}, {told}", heat_table(found), note))
    return section("categories", "Final category", parts)


def alerts(evaluation: Evaluation) -> Element:
    """What reviewers get for nothing."""
    return section(
        "alerts",
        "Alerts for nothing",
        tag("p", "The share routed to review of the rows whose known labels are all 0."),
        _by_length(
            ["", "rows", *SCORERS.values()],
            {
                lengths: [
                    row(
                        group.source or "gametox, conda and jigsaw",
                        f"{count.negatives:,}",
                        *(
                            cell(evaluation.figures[Key(group, s, about, ROUTED_SHARE)], ".4f")
                            for s in SCORERS
                        ),
                        is_few=count.negatives < 100,
                    )
                    for (group, about), count in evaluation.counts.items()
                    if (group.part, group.lengths) == (EVERY, lengths)
                    and (about == BENIGN_CHAT or (about == BENIGN and group.source != EVERY))
                ]
                for lengths in LENGTHS
            },
        ),
    )


def _routed(evaluation: Evaluation, group: Group, about: str) -> list[Element]:
    return [cell(evaluation.figures[Key(group, s, about, ROUTED_SHARE)], ".4f") for s in SCORERS]


def dialect(evaluation: Evaluation) -> Element | None:
    """Whether a dialect is held against its speakers; None without rows that tell."""
    if not evaluation.harmless:
        return None
    asked = ", ".join(subject(name) for name in FAIRNESS_SUBJECTS)
    return section(
        "dialect",
        "African American English",
        tag(
            "p",
            f"How often harmless rows of {SOURCE} are flagged all the same ({asked}): those in African"
            " American English, by grammatical and lexical markers, and the others.",
        ),
        _by_length(
            ["", "rows in AAE / others", "flagged, AAE", "flagged, others", "ratio"],
            {
                lengths: [
                    _dialect_row(evaluation, group, about, scorer)
                    for group, about in evaluation.harmless
                    if group.lengths == lengths
                    for scorer in SCORERS
                ]
                for lengths in LENGTHS
            },
        ),
    )


def _dialect_row(evaluation: Evaluation, group: Group, about: str, scorer: Scorer) -> Element:
    harmless = evaluation.harmless[group, about]
    rate, other, factor = (
        evaluation.figures[Key(group, scorer, about, metric)] for metric in (IN_AAE, IN_OTHER, AAE_TO_OTHER)
    )
    counts = f"{harmless.aae:,} / {harmless.other:,}"
    name = f"{subject(about)}, {SCORERS[scorer]}"
    return row(name, counts, cell(rate), cell(other), cell(factor, ".2f"))


def _by_length(headings: Sequence[str], rows: Mapping[str, Sequence[Element]]) -> list[Element]:
    """A table of all rows, and one to unfold without the short texts."""
    return [
        table(headings, rows[ALL_LENGTHS], caption=LENGTHS[ALL_LENGTHS]),
        folded(LENGTHS[WITHOUT_SHORT], table(headings, rows[WITHOUT_SHORT])),
    ]
