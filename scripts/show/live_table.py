"""`LiveTable`: verdicts as they come, for a person at a terminal."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipeline.event import Event, Platform
from pipeline.verdict import Route, Verdict
from scripts.drive.ledger import Ledger
from scripts.drive.summary import Summary, percentile
from scripts.show.colours import COLOURS, score, words
from scripts.show.summary_table import summary_table
from scripts.show.why import one_line, shortened, why

_PLATFORM, _CATEGORY, _SCORE, _MS = 8, 19, 13, 7
_GAPS = 2 * 5
_ROWS_AT_ONCE = 40
"""Rows printed between two looks; more pass too fast to be read, and drawing would slow the system down."""
_REJECTIONS_SHOWN = 20
_LATENCIES = 1_000
"""Newest latencies, from sending to verdict, whose percentiles are shown."""


class LiveTable:
    """Prints rows above a line of counts that stays at the bottom; a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: deque[tuple[Event, Verdict, float]] = deque(maxlen=_ROWS_AT_ONCE)
        self._latencies_ms: deque[float] = deque(maxlen=_LATENCIES)
        self._passed = 0
        self._rejections = 0
        room = max(40, console.width - _PLATFORM - _CATEGORY - _SCORE - _MS - _GAPS)
        self._message_width = room * 55 // 100
        self._why_width = room - self._message_width
        self._live = Live(
            Text("waiting for the first verdict", style="dim"), console=console, auto_refresh=False
        )

    def __enter__(self) -> Self:
        header = self._grid()
        header.add_row(
            *(Text(name, style="bold") for name in ("message", "platform", "category", "risk", "ms", "why"))
        )
        self._console.print(header)
        self._console.print(Text("─" * (self._console.width - 1), style="dim"))
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.update(Text(""), refresh=True)
        self._live.stop()

    def verdict(self, event: Event, verdict: Verdict, latency_s: float) -> None:
        """Keeps the row for the next look."""
        if len(self._rows) == _ROWS_AT_ONCE:
            self._passed += 1
        self._rows.append((event, verdict, latency_s))
        self._latencies_ms.append(1000 * latency_s)

    def rejected(self, line: int, problem: str) -> None:
        """Prints the first rejections; their number is in the summary."""
        self._rejections += 1
        if self._rejections <= _REJECTIONS_SHOWN:
            self._console.print(Text(f"line {line} rejected: {problem}", style="red"))
        if self._rejections == _REJECTIONS_SHOWN:
            self._console.print(Text("further rejections are only counted", style="red"))

    def progress(self, ledger: Ledger) -> None:
        """Prints what has come, and the counts."""
        if self._passed:
            self._console.print(Text(f"… {self._passed} more …", style="dim"))
        if self._rows:
            table = self._grid()
            for event, verdict, latency_s in self._rows:
                table.add_row(*self._cells(event, verdict, latency_s))
            self._console.print(table)
        self._rows.clear()
        self._passed = 0
        counts = ledger.counts
        self._live.update(
            Text.assemble(
                (f"{counts.accepted}", "bold"), " accepted   ",
                (f"{counts.duplicates}", "bold"), " duplicates   ",
                (f"{counts.rejected}", "bold"), " rejected   ",
                (f"{counts.routes[Route.REASONING_QUEUE]}", "bold red"), " → reasoning queue   ",
                (f"{counts.routes[Route.LOW_RISK]}", "bold green"), " → low risk   ",
                (f"{ledger.open}", "bold"), " under way   ",
                *self._latency(),
            ),
            refresh=True,
        )  # fmt: skip

    def summary(self, summary: Summary) -> None:
        """Prints the summary; after the block."""
        self._console.print(summary_table(summary))

    def _latency(self) -> tuple[tuple[str, str] | str, ...]:
        p50, p99 = (percentile(self._latencies_ms, percent) for percent in (50, 99))
        if p50 is None or p99 is None:
            return ()
        return ("p50 ", (f"{p50:.0f}", "bold"), " ms, p99 ", (f"{p99:.0f}", "bold"), " ms")

    def _grid(self) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        for width in (self._message_width, _PLATFORM, _CATEGORY, _SCORE, _MS, self._why_width):
            table.add_column(width=width, no_wrap=True, justify="right" if width == _MS else "left")
        return table

    def _cells(self, event: Event, verdict: Verdict, latency_s: float) -> tuple[Text, ...]:
        colour = COLOURS[verdict.category]
        return (
            Text(shortened(one_line(event.content), self._message_width)),
            Text(Platform(verdict.platform).label, style="dim"),
            Text(words(verdict.category), style=colour),
            score(verdict.risk_score, threshold_passed=verdict.route is Route.REASONING_QUEUE),
            Text(f"{latency_s * 1000:.0f}", style="dim"),
            Text(shortened(why(verdict, event.content), self._why_width), style="dim"),
        )
