"""`seawall bench`: the figures of the documentation, each by one command."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.handoff import Effort, HandOffFigures, measure
from benchmarks.turns import Series
from scripts.commands.build_if_missing import build_model_if_missing
from scripts.system.system import System

app = typer.Typer(help="Measure the system and its limits side by side.", no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measure the system and its limits side by side."""


@app.command()
def handoff(
    *,
    rounds: Annotated[int, typer.Option(min=1, help="How often each way is measured, in turns.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.5, help="Of load at a fixed rate, each time.")] = 10.0,
    events: Annotated[int, typer.Option(min=500, help="Of a round of throughput.")] = 5_000,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="The figures as JSON.")] = None,
) -> None:
    """The queue and the direct way, side by side at the same rate: latency, throughput, cost."""
    console = Console(highlight=False)
    build_model_if_missing(Console(stderr=True, highlight=False))
    with System() as system:
        figures = asyncio.run(measure(system, Effort(rounds, seconds, events)))
    allowed, rate = figures.model_texts_per_second, figures.rate
    console.print(f"the model allows {allowed:.0f} new texts/s; latencies at {rate:.0f}/s")
    for title, measured in _sections(figures).items():
        console.print(_table(title, measured))
    if out:
        out.write_text(json.dumps(asdict(figures), indent=2) + "\n")


def _sections(figures: HandOffFigures) -> dict[str, dict[str, dict[str, Series]]]:
    return {
        "ingest RPC to verdict": figures.latency,
        "throughput with known texts": figures.throughput,
        "cost of the stream": figures.stream_cost,
    }


def _table(title: str, measured: dict[str, dict[str, Series]]) -> Table:
    """Medians over the rounds, with the spread."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    columns = list(next(iter(measured.values())))
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right")
    for name, series in measured.items():
        table.add_row(name, *(_cell(series[column]) for column in columns))
    return table


def _cell(series: Series) -> str:
    return f"{series.median:,.1f} ±{50 * series.spread:.0f} %"
