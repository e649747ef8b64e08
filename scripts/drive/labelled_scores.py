"""Labelled rows through the real path, and the file that keeps what came of it.

The file is JSON Lines: a header, then for each row what `seawall score` writes and beside it the route, the
model's probabilities, and the verdicts that model and rules would give alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from typing import Any, BinaryIO

import orjson

from pipeline.errors import ModelOutputInvalid
from pipeline.verdict import HARMFUL
from screener.core import Screened
from screener.fusion import Judgement, Policy, judge, judge_degraded
from screener.heuristics.result import NO_EVIDENCE, HeuristicResult
from screener.judgements import Basis
from screener.settings import ScreenerSettings
from screener.tokens import Tokenizer
from screener.triton import TritonModel
from scripts.drive.score import BATCH_ROWS, patiently, result_json, scoring_core, screenings
from scripts.errors import CommandFailed
from scripts.rows.labelled import LabelledRow, digest
from scripts.rows.score_file import KIND
from scripts.rows.texts import TextRow
from training.evaluation.scored import Scorer, Served

JUDGED_BY = ("screening_weights", "screening_threshold", "category_thresholds", "custom_rules_path")
"""The settings that verdicts depend on."""

_NO_RULES = HeuristicResult(score=0.0, flags=(), evidence=NO_EVIDENCE)


async def write_scores(
    rows: Sequence[LabelledRow],
    sink: BinaryIO,
    advance: Callable[[int], None],
    *,
    triton: str,
    settings: ScreenerSettings,
) -> None:
    """Scores the rows with the Triton at `triton` (host:port) and writes the file.

    Raises:
        ModelUnavailable: Triton is away or too slow.
        ModelOutputInvalid: it answers nonsense.
        CommandFailed: the model's version changed meanwhile.
    """
    model = TritonModel.connect(triton, Tokenizer.from_file(settings.tokenizer_path))
    try:
        precision = (await patiently(model.current_version)).precision
        served: Served | None = None
        async for texts, screened in screenings(_chunks(rows), scoring_core(model, settings)):
            for row, found in zip(texts, screened, strict=True):
                now = _served(found, precision, settings)
                if served is None:
                    served = now
                    _write(sink, {"kind": KIND, "rows": len(rows), "digest": digest(rows), **asdict(served)})
                elif now != served:
                    raise CommandFailed(
                        f"the model changed from version {served.model_version} to {now.model_version} while"
                        " rows were scored: run again"
                    )
                _write(sink, _row_json(row, found, settings.policy))
            advance(len(texts))
    finally:
        await model.close()


async def _chunks(rows: Sequence[LabelledRow]) -> AsyncIterator[Sequence[TextRow]]:
    for start in range(0, len(rows), BATCH_ROWS):
        yield [TextRow(row.row_id, row.text) for row in rows[start : start + BATCH_ROWS]]


def _served(screened: Screened, precision: str, settings: ScreenerSettings) -> Served:
    in_force = settings.policy.overrides.at(*_basis(screened).thresholds)
    return Served(
        model_name=screened.verdict.model_name,
        model_version=screened.verdict.model_version,
        precision=precision,
        thresholds=(in_force.label, in_force.escalation),
        settings={name: str(getattr(settings, name) or "") for name in JUDGED_BY},
    )


def _row_json(row: TextRow, screened: Screened, policy: Policy) -> dict[str, Any]:
    basis = _basis(screened)
    by_model = judge(_NO_RULES, basis.probabilities, basis.thresholds, policy)
    by_rules = judge_degraded(basis.heuristics, policy)
    return {
        **result_json(row, screened.verdict),
        "route": screened.verdict.route.name.lower(),
        "probabilities": basis.probabilities,
        "alone": {
            Scorer.MODEL.value: _judgement_json(by_model),
            Scorer.HEURISTICS.value: _judgement_json(by_rules),
        },
    }


def _judgement_json(judgement: Judgement) -> dict[str, Any]:
    return {
        "risk_score": judgement.risk_score,
        "category": judgement.category.name,
        "labels": [label.name for label in judgement.labels],
        "confidence": judgement.confidence,
        "scores": {category.name: score for category, score in zip(HARMFUL, judgement.scores, strict=True)},
        "route": judgement.route.name.lower(),
    }


def _basis(screened: Screened) -> Basis:
    if screened.basis is None:
        raise ModelOutputInvalid("a verdict without the model cannot be evaluated")
    return screened.basis


def _write(sink: BinaryIO, record: dict[str, Any]) -> None:
    sink.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
