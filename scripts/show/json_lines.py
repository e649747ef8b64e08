"""`JsonLines`: a verdict a line, then the summary, for programs."""

from __future__ import annotations

from typing import Any, BinaryIO, TextIO

import orjson

from pipeline.event import Event, Platform
from pipeline.verdict import HARMFUL, Verdict
from scripts.drive.ledger import Ledger
from scripts.drive.summary import Summary


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON: categories by their names in capitals, platform and route in small letters."""
    return {
        "event_id": verdict.event_id,
        "platform": Platform(verdict.platform).label,
        "channel_id": verdict.channel_id,
        "author_id": verdict.author_id,
        "risk_score": verdict.risk_score,
        "category": verdict.category.name,
        "labels": [label.name for label in verdict.labels],
        "confidence": verdict.confidence,
        "scores": scores_json(verdict),
        "heuristic_score": verdict.heuristic_score,
        "model_score": verdict.model_score,
        "flags": flags_json(verdict),
        "similar_events": [
            {"event_id": s.event_id, "cosine": s.cosine, "category": s.category.name}
            for s in verdict.similar_events
        ],
        "campaign": verdict.campaign,
        "route": verdict.route.name.lower(),
        "model_name": verdict.model_name,
        "model_version": verdict.model_version,
        "cache_hit": verdict.cache_hit,
        "degraded": verdict.degraded,
        "timings": verdict.timings,
    }


def scores_json(verdict: Verdict) -> dict[str, float]:
    """The score of each harmful category by its name."""
    return {category.name: score for category, score in zip(HARMFUL, verdict.scores, strict=True)}


def flags_json(verdict: Verdict) -> list[dict[str, Any]]:
    """The rules that matched, and where; `category` null where a rule speaks for none."""
    return [
        {
            "rule": flag.rule,
            "weight": flag.weight,
            "start": flag.start,
            "end": flag.end,
            "category": flag.category.name if flag.category else None,
        }
        for flag in verdict.flags
    ]


class JsonLines:
    """Writes to `out` nothing but JSON; what is for people goes to `notes`."""

    def __init__(self, out: BinaryIO, notes: TextIO) -> None:
        self._out = out
        self._notes = notes

    def verdict(self, event: Event, verdict: Verdict, latency_s: float) -> None:  # noqa: ARG002  # as every show
        """Writes the verdict."""
        line = {**verdict_json(verdict), "latency_ms": round(latency_s * 1000, 2)}
        self._out.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def rejected(self, line: int, problem: str) -> None:
        """Notes it."""
        print(f"line {line} rejected: {problem}", file=self._notes)

    def progress(self, ledger: Ledger) -> None:  # noqa: ARG002  # as every show
        """Lets a reader of the pipe have what is there."""
        self._out.flush()

    def summary(self, summary: Summary) -> None:
        """Writes the last line."""
        self._out.write(orjson.dumps(summary.to_json(), option=orjson.OPT_APPEND_NEWLINE))
        self._out.flush()
