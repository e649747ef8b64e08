"""`Position`: how far a reader of the verdicts has come, in both of their streams. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.errors import InvalidRequest, Violation

_TEXT = re.compile(r"(\d{1,20}-\d{1,20})_(\d{1,20}-\d{1,20})", re.ASCII)
_MOST = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Position:
    """The ids of the last entries read, as Redis writes them; `0-0` lies before the first."""

    reasoning_queue: str
    low_risk: str

    def encode(self) -> str:
        """The position as callers keep it; valid at every screener of the same Redis."""
        return f"{self.reasoning_queue}_{self.low_risk}"

    @classmethod
    def decode(cls, text: str) -> Position:
        """Reads what `encode` wrote.

        Raises:
            InvalidRequest: it is something else; names the field `position`.
        """
        match = _TEXT.fullmatch(text)
        if match is None or any(number > _MOST for part in match.groups() for number in order(part)):
            allowed = "empty, or the `position` of a message or status of WatchVerdicts"
            raise InvalidRequest((Violation("position", "is not a position", allowed),))
        return cls(*match.groups())


def order(entry_id: str) -> tuple[int, int]:
    """What entries of a stream are ordered by: milliseconds, then a number within them."""
    milliseconds, number = entry_id.split("-")
    return int(milliseconds), int(number)
