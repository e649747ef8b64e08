"""`HandOff`: the way of an event from ingest to the screener, and who chooses it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from pipeline.errors import InvalidRequest, Violation

WANTED = ("hand-off", "wanted")
"""Metadata of a ScreenStream that is opened to hand events over: a key that may not is refused at once."""


class HandOff(IntEnum):
    """The two ways; numbers as in `seawall.ingest.v1.HandOff`, whose zero means no wish."""

    STREAM = 1
    DIRECT = 2

    @property
    def label(self) -> str:
        """The lower-case name, as settings and metrics use it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class HandOffChoice:
    """What the operator allows.

    Attributes:
        default: the way of a request that asks for none; always allowed.
        allowed: the others that a request may ask for.
    """

    default: HandOff = HandOff.STREAM
    allowed: frozenset[HandOff] = frozenset()

    def of(self, asked: int | None) -> HandOff:
        """The way of a request that asks for `asked`, a number as on the wire; None or 0 for no wish.

        Raises:
            InvalidRequest: the way is not allowed, or there is no such way.
        """
        if not asked or asked == self.default:
            return self.default
        if asked in self.allowed:
            return HandOff(asked)
        known = {int(hand_off): hand_off.label for hand_off in HandOff}
        allowed = sorted(hand_off.label for hand_off in {self.default, *self.allowed})
        violation = Violation(
            "hand_off",
            f"is {known.get(asked, asked)}",
            f"{' or '.join(allowed)}; absent: {self.default.label}",
        )
        raise InvalidRequest((violation,))
