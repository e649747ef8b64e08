"""The summary for people."""

from __future__ import annotations

from rich import box
from rich.columns import Columns
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pipeline.verdict import Category
from scripts.drive.summary import Summary
from scripts.show.colours import COLOURS, bar, words

_BAR_CELLS = 24


def lines(summary: Summary) -> list[tuple[str, str]]:
    """Every number of the summary with its name."""
    told = [
        ("accepted", str(summary.accepted)),
        ("duplicates", str(summary.duplicates)),
        ("rejected", str(summary.rejected)),
        ("verdicts", str(summary.verdicts)),
        ("dead letters", str(summary.dead_letters)),
        ("lost", str(summary.lost)),
        ("doubled", str(summary.doubled)),
        ("events per second", f"{summary.events_per_second:g}"),
        ("p50, ingest to verdict", _ms(summary.p50_ms)),
        ("p99, ingest to verdict", _ms(summary.p99_ms)),
    ]
    told += [(f"route {route}", str(count)) for route, count in summary.routes.items()]
    told += [(words(Category[name]), str(count)) for name, count in summary.categories.items()]
    return told


def summary_table(summary: Summary) -> RenderableType:
    """Two panels: what became of the events, and what they were."""
    return Columns([_numbers(summary), _categories(summary)], padding=(0, 1))


def _numbers(summary: Summary) -> Panel:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, count in (
        ("accepted", summary.accepted),
        ("duplicates", summary.duplicates),
        ("rejected", summary.rejected),
        ("verdicts", summary.verdicts),
    ):
        table.add_row(name, str(count))
    for name, count in (
        ("dead letters", summary.dead_letters),
        ("lost", summary.lost),
        ("doubled", summary.doubled),
    ):
        table.add_row(name, Text(str(count), style="bold green" if count == 0 else "bold red"))
    table.add_row("throughput", f"{summary.events_per_second:g} events/s")
    table.add_row("p50 ingest → verdict", _ms(summary.p50_ms))
    table.add_row("p99 ingest → verdict", _ms(summary.p99_ms))
    return Panel(table, title="events", box=box.ROUNDED, border_style="dim")


def _categories(summary: Summary) -> Panel:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    most = max(summary.categories.values(), default=0) or 1
    for name, count in summary.categories.items():
        colour = COLOURS[Category[name]]
        table.add_row(
            Text(words(Category[name]), colour), str(count), Text(bar(count / most, _BAR_CELLS), colour)
        )
    table.add_row()
    for route, count in summary.routes.items():
        table.add_row(Text(f"→ events:{route}", "dim"), str(count), "")
    return Panel(table, title="verdicts", box=box.ROUNDED, border_style="dim")


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:g} ms"
