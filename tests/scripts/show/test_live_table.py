from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from pipeline.verdict import Category, Route, Timings, Verdict
from scripts.drive.ledger import Ledger
from scripts.show.live_table import LiveTable
from tests.fixtures.events import MakeEvent

VERDICT = Verdict(
    event_id="event-1",
    platform=1,
    channel_id="general",
    author_id="author-1",
    risk_score=0.1,
    labels=(),
    category=Category.LOW_RISK,
    confidence=0.9,
    scores=(0.0,) * 6,
    heuristic_score=0.0,
    model_score=0.1,
    flags=(),
    similar_events=(),
    campaign=None,
    route=Route.LOW_RISK,
    model_name="memory",
    model_version=1,
    cache_hit=False,
    degraded=False,
    screened_at_ms=0,
    timings=Timings(),
)


def shown(latencies_s: list[float], make_event: MakeEvent) -> str:
    out = io.StringIO()
    with LiveTable(Console(file=out, force_terminal=True, width=160, color_system=None)) as table:
        for number, latency_s in enumerate(latencies_s):
            event_id = f"e{number}"
            table.verdict(make_event(event_id=event_id), replace(VERDICT, event_id=event_id), latency_s)
        table.progress(Ledger())
    return out.getvalue()


def test_the_latencies_are_shown_as_they_come(make_event: MakeEvent) -> None:
    text = shown([0.010] * 98 + [0.2, 0.3], make_event)
    assert "p50 10 ms, p99 200 ms" in text


def test_without_a_verdict_there_is_no_latency(make_event: MakeEvent) -> None:
    assert "p50" not in shown([], make_event)
