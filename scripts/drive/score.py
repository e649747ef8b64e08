"""Scores rows with the screener's own core, each row by itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry

from pipeline.errors import ModelUnavailable
from pipeline.event import Event, EventType, Platform
from pipeline.settings import load
from pipeline.verdict import Verdict
from screener.core import Screened, ScreeningCore
from screener.encoder import Encoder
from screener.metrics import ScreenerMetrics
from screener.rules_in_force import RulesInForce
from screener.settings import ScreenerSettings
from screener.tokens import Tokenizer
from screener.triton import MODEL, TritonModel
from scripts.rows.texts import TextRow
from scripts.show.json_lines import flags_json, scores_json
from scripts.system.system import TOKENIZER

BATCH_ROWS = 256
_BATCHES_IN_FLIGHT = 3  # one in Triton, one being matched against the rules, one on its way
_MODEL_TIMEOUT_S = 120.0
_WAITS_S = (1.0, 5.0, 15.0)

Answer = TypeVar("Answer")


def scoring_settings() -> ScreenerSettings:
    """The screener's settings by its environment variables, with the tokenizer of this repository by default.

    Raises:
        StartupFailed: a variable has a value that is not allowed.
    """
    settings = load(ScreenerSettings)
    if "tokenizer_path" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"tokenizer_path": TOKENIZER})


def scoring_core(model: TritonModel, settings: ScreenerSettings) -> ScreeningCore:
    """The screener's core without what looks beyond one event: no cache, no index, so no flood rule."""
    return ScreeningCore(
        encoder=Encoder(model, None, ScreenerMetrics(CollectorRegistry())),
        heuristics=RulesInForce(settings.custom_rules_path).current,
        policy=settings.policy,
        model_name=MODEL,
        similarity=None,
    )


async def scores(
    chunks: AsyncIterator[Sequence[TextRow]], *, triton: str, settings: ScreenerSettings
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yields for each chunk one result a row, in order; a row without a usable text has an error instead.

    Raises:
        ModelUnavailable: Triton at `triton` (host:port) is away or too slow.
        ModelOutputInvalid: it answers nonsense.
    """
    model = TritonModel.connect(triton, Tokenizer.from_file(settings.tokenizer_path))
    try:
        async for rows, screened in screenings(chunks, scoring_core(model, settings)):
            results = iter(screened)
            yield [
                {"id": row.row_id, "error": row.problem}
                if row.problem
                else result_json(row, next(results).verdict)
                for row in rows
            ]
    finally:
        await model.close()


async def screenings(
    chunks: AsyncIterator[Sequence[TextRow]], core: ScreeningCore
) -> AsyncIterator[tuple[Sequence[TextRow], list[Screened]]]:
    """Yields each chunk, in order, with what the core says of its usable rows; some are under way at a time.

    Raises:
        ModelUnavailable: Triton is away or too slow.
        ModelOutputInvalid: it answers nonsense.
    """
    under_way: deque[tuple[Sequence[TextRow], asyncio.Task[list[Screened]]]] = deque()
    try:
        async for chunk in chunks:
            under_way.append((chunk, asyncio.create_task(_screen(core, chunk))))
            if len(under_way) == _BATCHES_IN_FLIGHT:
                rows, task = under_way.popleft()
                yield rows, await task
        while under_way:
            rows, task = under_way.popleft()
            yield rows, await task
    finally:
        for _, task in under_way:
            task.cancel()
        await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)


async def _screen(core: ScreeningCore, rows: Sequence[TextRow]) -> list[Screened]:
    events = [
        Event("row", EventType.MESSAGE_CREATED, Platform.WEB_CHAT, author_id="row", content=row.text)
        for row in rows
        if not row.problem
    ]
    return await patiently(lambda: core.screen(events, timeout_s=_MODEL_TIMEOUT_S)) if events else []


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer; asks again, a few times, while the model is away: a busy machine must not end a long run.

    Raises:
        ModelUnavailable: it stays away.
    """
    for wait_s in _WAITS_S:
        try:
            return await ask()
        except ModelUnavailable:
            await asyncio.sleep(wait_s)
    return await ask()


def result_json(row: TextRow, verdict: Verdict) -> dict[str, Any]:
    """A row's result."""
    return {
        "id": row.row_id,
        "risk_score": verdict.risk_score,
        "category": verdict.category.name,
        "labels": [label.name for label in verdict.labels],
        "confidence": verdict.confidence,
        "scores": scores_json(verdict),
        "model_score": verdict.model_score,
        "heuristic_score": verdict.heuristic_score,
        "flags": flags_json(verdict),
    }
