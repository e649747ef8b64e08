"""What `seawall bench` makes of a run's JSON files: a table for the documentation, and the calculator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.calculator import Costs, CostUnknown, Load, Step, arithmetic
from benchmarks.result import Result
from benchmarks.suite import SUITE
from scripts.errors import CommandFailed
from scripts.show.bench_tables import markdown_table

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="What `seawall bench all --out` wrote.")]


def add_run(app: typer.Typer) -> None:
    """Registers the commands."""
    app.command()(table)
    app.command()(calculator)


def table(folder: Folder) -> None:
    """The figures of a run as a table in Markdown, below the machines that it ran on."""
    if not (run := read_run(folder)):
        raise CommandFailed(f"{folder} has no results")
    machines = {_told(orjson.loads(file.read_bytes())["machine"]): None for file in _files(folder)}
    print("; ".join(machines), "", markdown_table(in_order(run)), sep="\n")


def calculator(
    folder: Folder,
    *,
    events: Annotated[float, typer.Option(min=0.1, help="A second.")] = 1_000.0,
    lengths: Annotated[
        str, typer.Option(metavar="TOKENS:SHARE,...", help="How long texts are, by their shares.")
    ] = "16:0.5,32:0.3,64:0.15,128:0.05",
    cache_hits: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of events whose text was seen before.")
    ] = 0.3,
    busy: Annotated[
        float, typer.Option(min=0.05, max=1.0, help="Share of its time that a processor may work.")
    ] = 0.7,
) -> None:
    """Processors and GPUs for so many events a second, with the arithmetic, from a run's costs."""
    load = Load(events, _lengths(lengths), cache_hits, busy)
    try:
        costs = Costs.of(read_run(folder))
    except CostUnknown as error:
        raise CommandFailed(str(error)) from error
    Console(highlight=False).print(_arithmetic(list(arithmetic(load, costs))))


def read_run(path: Path) -> Mapping[str, Result]:
    """The results in a file, or in a folder of them, by their benchmarks.

    Raises:
        CommandFailed: a file is no result.
    """
    found = {}
    for file in _files(path):
        try:
            result = Result.decode(file.read_bytes())
        except ValueError as error:
            raise CommandFailed(f"{file}: {error}") from error
        found[result.benchmark] = result
    return found


def in_order(run: Mapping[str, Result]) -> list[Result]:
    """The results in the order of the suite, and what is not of it behind."""
    known = [run[name] for name in SUITE if name in run]
    return known + [result for name, result in run.items() if name not in SUITE]


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.json")) if path.is_dir() else [path]


def _told(machine: Mapping[str, str | int]) -> str:
    return f"{machine['processor']}, {machine['threads']} hardware threads, Python {machine['python']}"


def _lengths(text: str) -> dict[int, float]:
    try:
        pairs = [part.split(":") for part in text.split(",")]
        lengths = {int(length): float(share) for length, share in pairs}
    except ValueError:
        lengths = {}
    if not lengths or min(lengths) < 1 or min(lengths.values()) < 0 or not sum(lengths.values()):
        raise CommandFailed(f"--lengths {text}: allowed: TOKENS:SHARE by commas, as in 16:0.5,32:0.5")
    return lengths


def _arithmetic(steps: list[Step]) -> Table:
    table = Table(show_header=False, box=None)
    table.add_column(style="bold")
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for step in steps:
        table.add_row(step.what, step.how, f"= {step.result:,.2f}".removesuffix(".00"), step.unit)
    return table
