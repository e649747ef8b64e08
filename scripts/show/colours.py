"""The colours of categories and scores."""

from __future__ import annotations

from rich.text import Text

from pipeline.verdict import Category

COLOURS: dict[Category, str] = {
    Category.UNSPECIFIED: "white",
    Category.LOW_RISK: "green",
    Category.SPAM: "bright_blue",
    Category.TOXIC: "yellow",
    Category.TARGETED_HARASSMENT: "dark_orange",
    Category.HATE_SPEECH: "magenta",
    Category.VIOLENCE: "bright_red",
    Category.SEXUAL: "bright_magenta",
}

_EIGHTHS = " ▏▎▍▌▋▊▉"


def words(category: Category) -> str:
    """The category as people read it."""
    return category.name.lower().replace("_", " ")


def bar(share: float, width: int) -> str:
    """A bar of `width` cells, filled to `share` in eighths of a cell."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def score(value: float, *, threshold_passed: bool, width: int = 8) -> Text:
    """A risk score as bar and number."""
    colour = "bright_red" if threshold_passed else "yellow" if value >= 0.4 else "green"
    return Text.assemble((bar(value, width), colour), f" {value:.2f}")
