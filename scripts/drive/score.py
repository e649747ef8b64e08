"""Scores rows with the screener's own core, each row by itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

from prometheus_client import CollectorRegistry

from pipeline.event import Event, EventType, Platform
from pipeline.verdict import Verdict
from screener.core import ScreeningCore
from screener.encoder import Encoder
from screener.metrics import ScreenerMetrics
from screener.rules_in_force import RulesInForce
from screener.settings import ScreenerSettings
from screener.tokens import Tokenizer
from screener.triton import MODEL, TritonModel
from scripts.rows.texts import TextRow
from scripts.show.json_lines import flags_json, scores_json

BATCH_ROWS = 256
_BATCHES_IN_FLIGHT = 3  # one in Triton, one being matched against the rules, one on its way
_MODEL_TIMEOUT_S = 120.0


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
    """Yields for each chunk one result a row, in order; some chunks are under way at a time.

    Raises:
        ModelUnavailable: Triton at `triton` (host:port) is away or too slow.
        ModelOutputInvalid: it answers nonsense.
    """
    model = TritonModel.connect(triton, Tokenizer.from_file(settings.tokenizer_path))
    core = scoring_core(model, settings)
    under_way: deque[asyncio.Task[list[dict[str, Any]]]] = deque()
    try:
        async for chunk in chunks:
            under_way.append(asyncio.create_task(_score(core, chunk)))
            if len(under_way) == _BATCHES_IN_FLIGHT:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await model.close()


async def _score(core: ScreeningCore, rows: Sequence[TextRow]) -> list[dict[str, Any]]:
    usable = [row for row in rows if not row.problem]
    events = [
        Event("row", EventType.MESSAGE_CREATED, Platform.WEB_CHAT, author_id="row", content=row.text)
        for row in usable
    ]
    screened = iter(await core.screen(events, timeout_s=_MODEL_TIMEOUT_S) if events else ())
    return [
        {"id": row.row_id, "error": row.problem} if row.problem else _result(row, next(screened).verdict)
        for row in rows
    ]


def _result(row: TextRow, verdict: Verdict) -> dict[str, Any]:
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
