"""Texts through the real path, as `seawall score` takes them: Triton, the served precision, rules and fusion.

`scored`, a fixture of `tests/suites/conftest.py`, gives a session's `Scorer`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.event import Event, EventType, Platform
from pipeline.verdict import Category, Route, Verdict
from screener.settings import ScreenerSettings
from screener.tokens import Tokenizer
from screener.triton import TritonModel
from scripts.drive.score import BATCH_ROWS, scoring_core

TIMEOUT_S = 1_200
"""For pytest's `timeout` mark: the first test of a suite waits for its model, then for all of its texts."""

_MODEL_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Scored:
    """What the system makes of a text by itself; meanings as in `Verdict`."""

    text: str
    risk_score: float
    labels: frozenset[Category]
    category: Category
    route: Route

    @property
    def is_routed(self) -> bool:
        """Whether a person would be asked to look at it."""
        return self.route is Route.REASONING_QUEUE

    @property
    def is_flagged(self) -> bool:
        """Whether it has any label or is routed."""
        return bool(self.labels) or self.is_routed

    def __str__(self) -> str:
        """One line for a list of failures."""
        labels = ", ".join(sorted(label.name for label in self.labels)) or "no label"
        routed = ", routed" if self.is_routed else ""
        return f"{self.risk_score:.2f} ({labels}{routed}) {self.text!r}"


class Scorer(Protocol):
    """Scores valid contents, in order; a text that it has seen is not scored again."""

    def __call__(self, texts: Sequence[str]) -> list[Scored]:
        """Blocks until all are scored; call it outside an event loop.

        Raises:
            ModelUnavailable: Triton is away or too slow.
        """


class RealPath:
    """A `Scorer` with a Triton."""

    def __init__(self, *, triton: str, tokenizer: Path) -> None:
        """Takes Triton's gRPC address, host:port, and the served model's tokenizer."""
        self._triton = triton
        self._settings = ScreenerSettings(tokenizer_path=tokenizer)
        self._known: dict[str, Scored] = {}

    def __call__(self, texts: Sequence[str]) -> list[Scored]:
        """As `Scorer`."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        for text, verdict in zip(missing, asyncio.run(self._screen(missing)), strict=True):
            self._known[text] = _scored(text, verdict)
        return [self._known[text] for text in texts]

    async def _screen(self, texts: Sequence[str]) -> list[Verdict]:
        model = TritonModel.connect(self._triton, Tokenizer.from_file(self._settings.tokenizer_path))
        try:
            core = scoring_core(model, self._settings)
            screened = [
                result
                for start in range(0, len(texts), BATCH_ROWS)
                for result in await core.screen(
                    [_event(text) for text in texts[start : start + BATCH_ROWS]], timeout_s=_MODEL_TIMEOUT_S
                )
            ]
        finally:
            await model.close()
        return [result.verdict for result in screened]


def _event(text: str) -> Event:
    return Event("case", EventType.MESSAGE_CREATED, Platform.WEB_CHAT, author_id="case", content=text)


def _scored(text: str, verdict: Verdict) -> Scored:
    return Scored(
        text=text,
        risk_score=verdict.risk_score,
        labels=frozenset(verdict.labels),
        category=verdict.category,
        route=verdict.route,
    )
