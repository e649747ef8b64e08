"""What sections are made of."""

from __future__ import annotations

from training.evaluation.html.elements import Child, Element, tag


def section(identity: str, title: str, *children: Child) -> Element:
    """A part of the page that a link leads to."""
    return tag("section", tag("h2", title), children, id=identity)


def plot(title: str, note: str, drawn: Element) -> Element:
    """A plot with its title."""
    return tag("figure", tag("figcaption", title, tag("small", note)), drawn)


def folded(summary: str, *children: Child) -> Element:
    """What is shown when somebody asks."""
    return tag("details", tag("summary", summary), children)
