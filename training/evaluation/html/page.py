"""`evaluation.html`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from screener.model import CATEGORIES
from training.evaluation.html import decisions, detection
from training.evaluation.html.comparison import comparison_section
from training.evaluation.html.elements import Element, document, tag
from training.evaluation.html.style import STYLE
from training.evaluation.html.tables import row, table
from training.evaluation.html.words import subject
from training.evaluation.questions import ANY_HARM_OUTPUT
from training.evaluation.report import Report
from training.evaluation.scored import Served


def page(report: Report, about: Mapping[str, Any]) -> str:
    """The whole page; `about` tells of the run: its rows by file, resamples, seed and time."""
    evaluation = report.evaluation
    served = evaluation.served
    told = [
        detection.targets(evaluation),
        comparison_section(report.comparison, report.first.served, served)
        if report.comparison and report.first
        else None,
        detection.labels(evaluation),
        detection.curves(evaluation),
        detection.sources(evaluation),
        decisions.calibration(evaluation),
        decisions.categories(evaluation),
        decisions.alerts(evaluation),
        decisions.dialect(evaluation),
        _how(about),
    ]
    parts = [section for section in told if section is not None]
    title = f"{served.model_name}, version {served.model_version}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"Evaluation of {title}"),
        tag("style", STYLE),
    )
    body = tag("body", tag("h1", f"Evaluation of {title}"), _facts(served, about), _contents(parts), parts)
    return document(head, body)


def _facts(served: Served, about: Mapping[str, Any]) -> Element:
    rows = ", ".join(f"{count:,} of {part}" for part, count in about["rows"].items())
    facts = {
        "rows": rows,
        "served": served.precision,
        "evaluated": about["evaluated_at"],
        **{name.lower().replace("_", " "): value for name, value in served.settings.items() if value},
    }
    thresholds = [
        row(subject(name), *(f"{kind[column]:.3f}" for kind in served.thresholds))
        for column, name in enumerate((*CATEGORIES, ANY_HARM_OUTPUT))
    ]
    return tag(
        "div",
        tag("dl", [[tag("dt", name), tag("dd", value)] for name, value in facts.items()]),
        tag("details", tag("summary", "Thresholds in force"), table(["", "label", "escalation"], thresholds)),
    )


def _contents(parts: list[Element]) -> Element:
    return tag("nav", [tag("a", part[0].text, href=f"#{part.get('id')}") for part in parts])


def _how(about: Mapping[str, Any]) -> Element:
    lines = (
        "Every row went through the whole path: the tokenizer, Triton with the precision that is served, the"
        " rules and the fusion. The model alone is the verdict if no rule had matched; the heuristics alone,"
        " the verdict if the model were away.",
        "An absent label is unknown and takes no part in any figure. Harmful or not is asked of rows of which"
        " all labels are known that their source tells; the answer is whether any label is given, the ranking"
        " that of the risk.",
        f"Intervals are percentiles of {about['resamples']:,} bootstrap resamples of the rows (seed"
        f" {about['seed']}), shared by all figures. With fewer than about ten positives they are too narrow"
        " to be trusted. Rows are taken as independent; near copies within a source make the truth wider.",
    )
    return tag("section", tag("h2", "How it was measured"), [tag("p", line) for line in lines], id="how")
