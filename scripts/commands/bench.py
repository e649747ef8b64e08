"""`seawall bench`: the figures of the documentation, each by one command."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import overload as overloading
from benchmarks import persistence as persisting
from benchmarks import restart as restarting
from benchmarks import worst_case as worst
from benchmarks.handoff import Effort, HandOffFigures, measure
from benchmarks.turns import Series
from scripts.commands.bench_run import add_run
from scripts.commands.bench_suite import add_suite
from scripts.commands.build_if_missing import build_model_if_missing
from scripts.errors import CommandFailed
from scripts.show.overload_table import overload_table
from scripts.show.worst_case_table import worst_case_table
from scripts.system.system import Part, System

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

app = typer.Typer(help="Measure the system and its limits side by side.", no_args_is_help=True)
add_suite(app)
add_run(app)


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
    _write(out, figures)


@app.command()
def overload(
    *,
    seconds: Annotated[float, typer.Option(min=1, help="Of half load, and of overload.")] = 60.0,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="The figures as JSON.")] = None,
) -> None:
    """Ten times the capacity with a full queue: memory, latency, refusals, and what is left of it all.

    Exits with 1 where a promise was broken that does not depend on how fast the machine is.
    """
    console = Console(highlight=False)
    build_model_if_missing(Console(stderr=True, highlight=False))
    with System(settings=overloading.SETTINGS, clients=overloading.CLIENTS) as system:
        figures = asyncio.run(overloading.measure(system, seconds))
    console.print(overload_table(figures))
    _write(out, figures)
    if broken := figures.broken():
        console.print("\n".join(f"broken: {promise}" for promise in broken))
        raise typer.Exit(1)


@app.command()
def restart(
    *,
    vectors: Annotated[int, typer.Option(min=1_000, help="In the index.")] = 100_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each start is measured, in turns.")] = 3,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="The figures as JSON.")] = None,
) -> None:
    """How soon a screener's index is there again, with a snapshot and without."""
    console = Console(highlight=False)
    with System(parts=frozenset({Part.REDIS})) as system:
        figures = asyncio.run(restarting.measure(system.redis_url, vectors=vectors, rounds=rounds))
    console.print(
        f"a snapshot of {figures.vectors:,} vectors: {figures.snapshot_mb:.0f} MB, "
        f"captured in {figures.capture_ms:.0f} ms, written in {figures.write_s:.1f} s; "
        f"the event loop stood still for {figures.stall_ms:.0f} ms at most"
    )
    console.print(_table("start of an index, seconds", figures.starts))
    _write(out, figures)


@app.command()
def persistence(
    *,
    folder: Annotated[
        Path | None, typer.Option(help="On the disk in question; else the temporary one.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured, in turns.")] = 5,
    events: Annotated[int, typer.Option(min=1_000, help="Of a round of throughput.")] = 20_000,
    per_second: Annotated[float, typer.Option(min=1, help="Single events, for their latency.")] = 200.0,
    seconds: Annotated[float, typer.Option(min=1, help="Of these, each time.")] = 10.0,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="The figures as JSON.")] = None,
) -> None:
    """What `appendfsync always` costs against `everysec`, and what each loses to `kill -9` of Redis."""
    console = Console(highlight=False)
    figures = persisting.run(persisting.Effort(rounds, events, per_second, seconds), folder)
    console.print(_table("admission, by appendfsync", figures.admission))
    for policy, lost in figures.lost_to_kill.items():
        accepted = figures.accepted_before_kill[policy]
        console.print(f"{policy}: of {accepted:,} accepted events kill -9 of Redis lost {lost}")
    _write(out, figures)


def _write(out: Path | None, figures: DataclassInstance) -> None:
    if out:
        out.write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


@app.command(name="worst-case")
def worst_case(
    *, rounds: Annotated[int, typer.Option(min=1, help="How often each is measured; the least counts.")] = 5
) -> None:
    """Normalisation and rules on the texts that are most work, at three lengths: CPU time, and how it grows.

    Exits with 1 where it grows much faster than the length.
    """
    grown = worst.measure(rounds=rounds)
    Console(highlight=False).print(worst_case_table(grown))
    if steep := [growth.name for growth in grown if growth.exponent > worst.MOST_EXPONENT]:
        raise CommandFailed(f"faster than the length: {', '.join(steep)}")


def _sections(figures: HandOffFigures) -> dict[str, dict[str, dict[str, Series]]]:
    return {
        "ingest RPC to verdict": figures.latency,
        "throughput with known texts": figures.throughput,
        "cost of the stream": figures.stream_cost,
    }


def _table(title: str, measured: Mapping[str, Mapping[str, Series]]) -> Table:
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
