from __future__ import annotations

import io

from rich.console import Console

from scripts.drive.ledger import Ledger
from scripts.show.live_table import LiveTable
from tests.fixtures.events import MakeEvent
from tests.fixtures.verdicts import a_verdict


def shown(latencies_s: list[float], make_event: MakeEvent) -> str:
    out = io.StringIO()
    with LiveTable(Console(file=out, force_terminal=True, width=160, color_system=None)) as table:
        for number, latency_s in enumerate(latencies_s):
            event_id = f"e{number}"
            table.verdict(make_event(event_id=event_id), a_verdict(event_id), latency_s)
        table.progress(Ledger())
    return out.getvalue()


def test_the_latencies_are_shown_as_they_come(make_event: MakeEvent) -> None:
    text = shown([0.010] * 98 + [0.2, 0.3], make_event)
    assert "p50 10 ms, p99 200 ms" in text


def test_without_a_verdict_there_is_no_latency(make_event: MakeEvent) -> None:
    assert "p50" not in shown([], make_event)
