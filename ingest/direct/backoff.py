"""How long to wait before a stream is opened again. Pure, but for the dice."""

from __future__ import annotations

import random

_FIRST_S, _MOST_S = 0.1, 2.0


class Backoff:
    """Doubles from 0.1 to 2 s; half of each wait is random, so that many do not come back all at once."""

    def __init__(self) -> None:
        self._next_s = _FIRST_S

    def reset(self) -> None:
        """The stream has worked."""
        self._next_s = _FIRST_S

    def wait_s(self) -> float:
        """The next wait, in seconds."""
        most, self._next_s = self._next_s, min(_MOST_S, 2 * self._next_s)
        return most * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
