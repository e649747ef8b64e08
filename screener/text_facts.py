"""What the screener finds out about a text by itself, whoever says it: once for all events that say it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.fingerprint import Digests
from screener.heuristics import HeuristicResult, Heuristics, TextScore
from screener.heuristics.score import with_flags
from screener.recent import Recent
from screener.similarity.informative import informative_words
from screener.text import Draft


class TextFacts(NamedTuple):
    """What is known of a text.

    Attributes:
        plain: the text in plain writing, which the model reads.
        score: what the rules say of it.
        alone: the same as the result for an event of which nothing else is known.
        digest: tells texts apart (`Digests.text`); empty where nothing is compared.
        informative: its informative words; 0 where nothing is compared.
    """

    plain: str
    score: TextScore
    alone: HeuristicResult
    digest: bytes = b""
    informative: int = 0


class TextReader:
    """Reads texts in two steps, for the model can work while the rules do; remembers them for a minute."""

    def __init__(self, digests: Digests | None) -> None:
        """`digests`: None where nothing is compared."""
        self._digests = digests
        self._recent: Recent[TextFacts] = Recent()
        self._rules: Heuristics | None = None

    def begin(self, texts: Sequence[str], rules: Heuristics, *, now_ms: int) -> list[TextFacts | Draft]:
        """What is known of each, or the text in plain writing.

        Args:
            texts: distinct texts.
            rules: the rules of now; what others found out is forgotten.
            now_ms: by a clock that never steps.
        """
        if rules is not self._rules:
            self._rules = rules
            self._recent.clear()
        self._recent.turn(now_ms)
        return [self._recent.get(text) or rules.reveal(text) for text in texts]

    def finish(
        self, texts: Sequence[str], begun: Sequence[TextFacts | Draft], rules: Heuristics
    ) -> list[TextFacts]:
        """Reads those that are not known yet; arguments as `begin` had them, and what it answered."""
        return [
            known if isinstance(known, TextFacts) else self._read(text, known, rules)
            for text, known in zip(texts, begun, strict=True)
        ]

    def _read(self, text: str, draft: Draft, rules: Heuristics) -> TextFacts:
        score = rules.score_revealed(text, draft)
        facts = TextFacts(
            plain=draft.text,
            score=score,
            alone=with_flags(score, ()),
            digest=self._digests.text(text) if self._digests else b"",
            informative=informative_words(text) if self._digests else 0,
        )
        if rules is self._rules:  # else they changed under way
            self._recent.put(text, facts)
        return facts


def plain_text(known: TextFacts | Draft) -> str:
    """The text in plain writing, of either."""
    return known.plain if isinstance(known, TextFacts) else known.text
