"""`SimilarTexts`: earlier events near a text, for analysts."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.verdict import SimilarEvent
from screener.encoder import Encoder
from screener.heuristics import Heuristics
from screener.similarity.comparison import Comparison


class SimilarTexts:
    """Encodes a text, in plain writing as events are, and asks for what is near it."""

    def __init__(
        self,
        encoder: Encoder,
        comparison: Comparison,
        *,
        heuristics: Callable[[], Heuristics],
        model_timeout_s: float,
    ) -> None:
        """Takes the parts; `heuristics` gives the rules of now."""
        self._heuristics = heuristics
        self._encoder = encoder
        self._comparison = comparison
        self._model_timeout_s = model_timeout_s

    async def find(
        self, content: str, *, limit: int, min_cosine: float
    ) -> tuple[int, tuple[SimilarEvent, ...]]:
        """The model version, and up to `limit` events, nearest first.

        Raises:
            ModelUnavailable: Triton is away, loading, or too slow.
        """
        text = self._heuristics().reveal(content).text
        encoded = await self._encoder.encode([text], timeout_s=self._model_timeout_s)
        [near] = await self._comparison.nearest(
            encoded.embeddings, version=encoded.version, k=limit, min_cosine=min_cosine
        )
        return encoded.version, tuple(near)
