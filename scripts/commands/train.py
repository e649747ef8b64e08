"""`seawall train`: from the corpus to the committed head."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from scripts.commands.model import CACHE, WEIGHTS
from training.errors import BuildFailed
from training.source import fetch_source
from training.train import train_head

REPORT = WEIGHTS.with_name("report.json")


def train(  # noqa: PLR0917 - the options of a command line
    data: Annotated[Path, typer.Option(help="Folder of the moderation-*.jsonl.gz files.")],
    weights: Annotated[Path, typer.Option(help="Where the head goes.")] = WEIGHTS,
    report: Annotated[Path, typer.Option(help="Where the figures go.")] = REPORT,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Use the first rows of moderation-train only.")
    ] = None,
    extra_rows: Annotated[
        int | None, typer.Option(min=1, help="Use the first rows of moderation-extra-train only.")
    ] = None,
    cache: Annotated[Path, typer.Option(help="Where embeddings are kept.")] = CACHE,
) -> None:
    """Train the risk head on frozen embeddings; then `seawall model build` makes a version of it.

    The first run embeds the corpus (over an hour on two cores) and can be interrupted: it goes on where it
    stopped.
    """
    console = Console()

    def say(line: str) -> None:
        console.print(f"  {line}", highlight=False, soft_wrap=True)

    source = fetch_source(cache, say)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        tasks = {
            name: progress.add_task(f"embedding {name}", total=None)
            for name in ("train", "extra-train", "valid", "test", "extra-test")
        }
        trained = train_head(
            data,
            source,
            cache,
            rows=rows,
            extra_rows=extra_rows,
            threads=len(os.sched_getaffinity(0)),
            report=say,
            advance=lambda name, done, total: progress.update(tasks[name], completed=done, total=total),
        )
    _write(weights, trained.head.to_json())
    _write(report, json.dumps(trained.report, indent=2) + "\n")
    for name, figures in trained.report["splits"]["valid"]["outputs"].items():
        test = trained.report["splits"]["test"]["outputs"][name]
        say(f"{name:20} AUPRC valid {figures['auprc']:.3f}, test {test['auprc']:.3f}")
    say(f"wrote {weights} and {report}; next: seawall model build")


def _write(path: Path, text: str) -> None:
    """By rename, so that an interrupted run leaves the old weights whole."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text)
        partial.replace(path)
    except OSError as error:
        raise BuildFailed(f"cannot write {path}: {error.strerror or error}") from error
