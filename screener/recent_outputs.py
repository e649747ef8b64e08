"""`RecentOutputs`: before the embedding cache in Redis, what it answered for the last texts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from screener.cache import CachedOutput
from screener.encoder import Cache
from screener.model import ModelVersion
from screener.recent import Recent


class RecentOutputs:
    """Answers for texts of about the last minute from memory, and asks the cache behind for the others.

    So of a flood of copies nothing has to be hashed, sent, received and decoded. What the model has just
    answered comes from the cache as well, the first time: in its twelve bits, as for everybody else.
    """

    def __init__(
        self, behind: Cache, *, clock_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000
    ) -> None:
        """`clock_ms` never steps."""
        self._behind = behind
        self._clock_ms = clock_ms
        self._recent: Recent[CachedOutput] = Recent()
        self._version: ModelVersion | None = None

    async def get(self, version: ModelVersion, texts: Sequence[str]) -> list[CachedOutput | None]:
        """What is known of each text, in order; raises as the cache behind does, where it has to be asked."""
        if version != self._version:
            self._recent.clear()
            self._version = version
        self._recent.turn(self._clock_ms())
        known = [self._recent.get(text) for text in texts]
        missing = [row for row, output in enumerate(known) if output is None]
        if not missing:
            return known
        for row, found in zip(
            missing, await self._behind.get(version, [texts[row] for row in missing]), strict=True
        ):
            known[row] = found
            if found is not None and version == self._version:  # else another came meanwhile
                # Copies, for what is found are rows of all that was read at once.
                own = CachedOutput(found.embedding.copy(), found.probabilities.copy())
                self._recent.put(texts[row], own)
        return known

    async def put(self, version: ModelVersion, outputs: Sequence[tuple[str, CachedOutput]]) -> None:
        """As the cache behind has it."""
        await self._behind.put(version, outputs)
