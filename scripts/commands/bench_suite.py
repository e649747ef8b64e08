"""The suite in `seawall bench`: a command for each benchmark, all of them, and two runs compared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.compare import changes
from benchmarks.result import Effort, Result
from benchmarks.suite import SUITE, measure_of
from scripts.commands.bench_run import read_run
from scripts.commands.build_if_missing import build_model_if_missing
from scripts.errors import CommandFailed
from scripts.show.bench_tables import changes_table, result_table

Rounds = Annotated[int | None, typer.Option(min=1, help="How often each is measured, in turns. [default: 5]")]
Seconds = Annotated[float | None, typer.Option(min=0.1, help="Of load, each time. [default: 5]")]
Brief = Annotated[bool, typer.Option("--brief", help="Only that it runs: the figures mean nothing.")]


def add_suite(app: typer.Typer) -> None:
    """Registers the commands."""
    for name, about in SUITE.items():
        app.command(name=name, help=about)(_command(name))
    app.command(name="all")(run_all)
    app.command()(compare)


def run_all(
    *,
    rounds: Rounds = None,
    seconds: Seconds = None,
    brief: Brief = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="A JSON file for each benchmark.")
    ] = None,
) -> None:
    """Every benchmark of the suite, one after the other, and one table of all."""
    console = Console(highlight=False)
    if out:
        out.mkdir(parents=True, exist_ok=True)
    results = []
    for name in SUITE:
        console.print(f"{name} …", style="dim")
        results.append(_measured(name, _effort(rounds, seconds, brief=brief)))
        _write(out and out / f"{name}.json", results[-1])
    console.print(result_table(results))


def compare(
    before: Annotated[
        Path, typer.Argument(metavar="A", help="A file that --out wrote, or a folder of them.")
    ],
    after: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
) -> None:
    """What changed from A to B; in bold where it is more than the rounds spread."""
    console = Console(highlight=False)
    old, new = read_run(before), read_run(after)
    if not (both := [name for name in new if name in old]):
        raise CommandFailed(f"{before} and {after} have no benchmark in common")
    for name in both:
        console.print(changes_table(name, changes(old[name], new[name])))


def _command(name: str) -> Callable[..., None]:
    def command(
        *,
        rounds: Rounds = None,
        seconds: Seconds = None,
        brief: Brief = False,
        out: Annotated[Path | None, typer.Option(metavar="FILE", help="The figures as JSON.")] = None,
    ) -> None:
        result = _measured(name, _effort(rounds, seconds, brief=brief))
        console = Console(highlight=False)
        console.print(result_table([result]))
        for detail, value in result.details.items():
            console.print(f"{detail}: {value if isinstance(value, str) else f'{value:,.4g}'}")
        _write(out, result)

    return command


def _measured(name: str, effort: Effort) -> Result:
    build_model_if_missing(Console(stderr=True, highlight=False))
    return asyncio.run(measure_of(name)(effort))


def _effort(rounds: int | None, seconds: float | None, *, brief: bool) -> Effort:
    effort = Effort.briefly() if brief else Effort.full()
    return replace(effort, rounds=rounds or effort.rounds, seconds=seconds or effort.seconds)


def _write(out: Path | None, result: Result) -> None:
    if out:
        out.write_bytes(result.encode())
