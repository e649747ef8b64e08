"""`Recent`: what was found out about the last texts, so that of a flood of copies each is read once. Pure."""

from __future__ import annotations

from typing import Generic, TypeVar

Value = TypeVar("Value")

MOST_TEXTS = 2_048
"""In each of the two generations: some 2 MB of chat."""

LONGEST = 2_000
"""Characters; what is longer is seldom sent twice, and 4,096 of them shall not fill the memory."""

KEEP_MS = 30_000
"""A text that nobody repeats is gone after twice that: content is kept in memory no longer than it serves."""


class Recent(Generic[Value]):
    """Values by text, in two generations: the older one goes as a whole, so that nothing has to be ordered.

    A new generation begins when the newer one is full or `KEEP_MS` old.
    """

    def __init__(self) -> None:
        self._newer: dict[str, Value] = {}
        self._older: dict[str, Value] = {}
        self._began_ms = 0

    def get(self, text: str) -> Value | None:
        """What was put there for this text; asking keeps it."""
        if (value := self._newer.get(text)) is not None:
            return value
        if (value := self._older.get(text)) is not None:
            self._newer[text] = value
        return value

    def put(self, text: str, value: Value) -> None:
        """Keeps a value, unless its text is too long."""
        if len(text) <= LONGEST:
            self._newer[text] = value

    def turn(self, now_ms: int) -> None:
        """Lets the older generation go when it is time; to be called now and then, such as before a batch."""
        if len(self._newer) >= MOST_TEXTS or now_ms - self._began_ms >= KEEP_MS:
            self._older, self._newer = self._newer, {}
            self._began_ms = now_ms

    def clear(self) -> None:
        """Forgets all."""
        self._newer, self._older = {}, {}
