"""A text under correction that remembers where each of its characters came from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Edit:
    """A correction of `text[start:end]`; nothing where `start` equals `end`: the new text goes in between.

    Attributes:
        new: what shall stand there.
        hidden: whether somebody had hidden it, rather than stressed or mistyped it.
    """

    start: int
    end: int
    new: str
    hidden: bool


@dataclass(slots=True)
class Draft:
    """The text as corrected so far.

    Attributes:
        text: what it says.
        origin: for each character of `text` its place in the original; None while nothing has moved.
        hidden: spans of the original in which something was hidden, in order.
    """

    text: str
    origin: list[int] | None = None
    hidden: list[tuple[int, int]] = field(default_factory=list)

    def apply(self, edits: Sequence[Edit]) -> None:
        """Make corrections, which are in order and do not overlap."""
        if not edits:
            return
        places = self.origin if self.origin is not None else range(len(self.text))
        pieces: list[str] = []
        origin: list[int] = []
        position = 0
        for edit in edits:
            pieces += [self.text[position : edit.start], edit.new]
            origin += places[position : edit.start]
            origin += _spread(places, edit)
            position = edit.end
            if edit.hidden:
                self.hidden.append((places[edit.start], places[edit.end - 1] + 1))
        pieces.append(self.text[position:])
        origin += places[position:]
        self.text, self.origin = "".join(pieces), origin
        self.hidden.sort()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]`, which must not be empty, stands in the original."""
        if self.origin is None:
            return start, end
        return self.origin[start], self.origin[end - 1] + 1

    def is_hidden(self, start: int, end: int) -> bool:
        """Whether something was hidden in this span of the original."""
        before = bisect_right(self.hidden, (start, end))
        return any(
            first < end and last > start for first, last in self.hidden[max(before - 1, 0) : before + 1]
        )


def _spread(places: Sequence[int], edit: Edit) -> list[int]:
    """The places of a correction's characters: evenly over what they replace, the last one at its end."""
    count, length = len(edit.new), edit.end - edit.start
    if not length:
        return [places[max(edit.start - 1, 0)]] * count
    return [places[edit.start + place * length // count] for place in range(count - 1)] + (
        [places[edit.end - 1]] if count else []
    )
