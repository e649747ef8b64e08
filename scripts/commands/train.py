"""`seawall train`: from the corpus to the committed weights."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from scripts.commands.model import CACHE, WEIGHTS
from training.encoder import read_encoder
from training.errors import BuildFailed, TrainingError
from training.risk_weights import RiskWeights
from training.source import fetch_source

REPORT = "report.json"
_SECONDS_BETWEEN_LINES = 60.0
"""Where the output is a log, which a moving bar leaves empty."""


def train(
    *,
    data: Annotated[Path, typer.Option(help="Folder of the moderation-*.jsonl.gz files.")],
    weights: Annotated[Path, typer.Option(help="Folder for the weights and their report.")] = WEIGHTS,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Use the first rows of moderation-train only.")
    ] = None,
    onward: Annotated[bool, typer.Option(help="Go on from the weights in the folder, not from e5.")] = False,
    passes: Annotated[float, typer.Option(min=0.01, help="Passes of each stage over its rows.")] = 0.8,
    rate: Annotated[float, typer.Option(min=1e-6, max=1e-3, help="Of --onward: where it begins.")] = 8e-5,
    device: Annotated[str, typer.Option(help="Where torch computes: cpu, cuda.")] = "cpu",
    cache: Annotated[Path, typer.Option(help="Where checkpoints are kept.")] = CACHE,
) -> None:
    """Train the risk branch and its head; then `seawall model build` makes a version of them.

    Two stages of an hour each on two cores, minutes on a GPU. It can be interrupted at any time, and goes on
    where it stopped.
    """
    console = Console()

    def say(line: str) -> None:
        console.print(f"  {line}", highlight=False, soft_wrap=True)

    try:
        from training.train import Plan, Training  # noqa: PLC0415 - torch, which only this command needs
    except ModuleNotFoundError as error:
        raise TrainingError(f"{error}: install the training's own part, pip install -e '.[train]'") from error
    source = fetch_source(cache, say)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}
        next_line = [0.0]

        def advance(name: str, done: int, total: int) -> None:
            first = name.split(",", maxsplit=1)[0]
            if first not in tasks:
                tasks[first] = progress.add_task(first, total=total)
            progress.update(tasks[first], description=name, completed=done, total=total)
            if not console.is_terminal and time.monotonic() > next_line[0]:
                say(f"{name}: {done} of {total}")
                next_line[0] = time.monotonic() + _SECONDS_BETWEEN_LINES

        training = Training(data, source, cache, device=device, report=say, advance=advance)
        if onward:
            start = RiskWeights.load(weights, read_encoder(source.encoder))
            stand_ins = json.loads((weights / REPORT).read_text())["stand_ins"]
            trained = training.onward(start, Plan.onward(passes, rate), stand_ins=stand_ins, rows=rows)
        else:
            trained = training.run(Plan.of(passes), rows=rows)
    try:
        trained.weights.save(weights, read_encoder(source.encoder))
        (weights / REPORT).write_text(json.dumps(trained.report, indent=2) + "\n")
    except OSError as error:
        raise BuildFailed(f"cannot write {weights}: {error.strerror or error}") from error
    for name, figures in trained.report["splits"]["valid"]["outputs"].items():
        test = trained.report["splits"]["test"]["outputs"][name]
        say(f"{name:20} AUPRC valid {figures['auprc']:.3f}, test {test['auprc']:.3f}")
    say(f"wrote {weights}; next: seawall model build")
