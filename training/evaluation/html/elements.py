"""Elements of a page, built as a tree: what is written out of it is well-formed, and all text is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

Element = ET.Element
Child = Element | str | Iterable["Child"] | None


def tag(kind: str, /, *children: Child, **attributes: str | float) -> Element:
    """An element with its children; lists are taken apart and None is left out.

    `class_` stands for class, and other underscores for hyphens.
    """
    element = ET.Element(kind, {_attribute(key): _value(value) for key, value in attributes.items()})
    _append(element, children)
    return element


def document(head: Element, body: Element) -> str:
    """The page as text."""
    page = tag("html", head, body, lang="en")
    return "<!DOCTYPE html>\n" + ET.tostring(page, encoding="unicode", method="html") + "\n"


def _append(element: Element, children: Iterable[Child]) -> None:
    for child in children:
        if isinstance(child, str):
            _append_text(element, child)
        elif isinstance(child, Element):
            element.append(child)
        elif child is not None:
            _append(element, child)


def _append_text(element: Element, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _attribute(key: str) -> str:
    return "class" if key == "class_" else key.replace("_", "-")


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
