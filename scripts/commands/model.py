"""`seawall model`: build the served model, and show how well its variants agree."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from training.agreement import TEXTS, Agreement
from training.build import build_version
from training.checking import Checked, judge, measure_version
from training.embedding import Embedder
from training.encoder import read_encoder
from training.errors import BuildFailed, SourceInvalid
from training.golden import GOLDEN, write_golden
from training.graph import Precision
from training.source import fetch_source
from training.variants import FILES, MODEL

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "seawall"
REPOSITORY = ROOT / "model_repository"
WEIGHTS = ROOT / "training" / "weights"

app = typer.Typer(help="Build and check the risk model that Triton serves.", no_args_is_help=True)
console = Console()


@app.command()
def build(
    repository: Annotated[Path, typer.Option(help="Triton's model repository.")] = REPOSITORY,
    weights: Annotated[Path, typer.Option(help="Folder of the trained weights.")] = WEIGHTS,
    cache: Annotated[Path, typer.Option(help="Where downloads are kept.")] = CACHE,
    texts: Annotated[int, typer.Option(min=1, help="Texts of the agreement check.")] = TEXTS,
) -> None:
    """Fetch the encoder, write the FP32, FP16 and INT8 graphs, check them, and place the next version."""
    started = time.monotonic()
    source = fetch_source(cache, _say)
    built = build_version(
        source,
        weights,
        repository,
        check=lambda folder: _checked(folder, source.tokenizer, cache, texts),
        report=_say,
        threads=_threads(),
    )
    state = "built" if built.is_new else "unchanged"
    _say(f"{MODEL} version {built.version} {state} in {time.monotonic() - started:.1f} s: {built.folder}")


@app.command()
def check(
    repository: Annotated[Path, typer.Option(help="Triton's model repository.")] = REPOSITORY,
    version: Annotated[int | None, typer.Option(help="A version; the newest without it.")] = None,
    texts: Annotated[int, typer.Option(min=1, help="How many texts to compare.")] = TEXTS,
    cache: Annotated[Path, typer.Option(help="Where finished passes are kept.")] = CACHE,
) -> None:
    """Print how far each variant of a version lies from the FP32 graph, alone and in mixed batches."""
    model = repository / MODEL
    versions = sorted(int(path.name) for path in model.glob("[0-9]*") if path.name.isdigit())
    if not versions or (version is not None and version not in versions):
        raise BuildFailed(f"{model} has no version {version or ''}: run `seawall model build`")
    _checked(model / str(version or versions[-1]), model / "tokenizer.json", cache, texts)


@app.command()
def golden(cache: Annotated[Path, typer.Option(help="Where downloads are kept.")] = CACHE) -> None:
    """Make the embeddings anew that tell the encoder from another model, after a change of their texts."""
    source = fetch_source(cache, _say)
    if not source.is_known:
        raise SourceInvalid(
            "the fetched encoder has other bytes than the known one: remove it from the cache"
        )
    write_golden(Embedder.create(read_encoder(source.encoder), source.tokenizer, threads=_threads()))
    _say(f"written: {GOLDEN}")


def _checked(folder: Path, tokenizer: Path, cache: Path, texts: int) -> Checked:
    """Check every variant in `folder` and print the table, also where a bound is broken."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("agreement", total=None)

        def advance(name: str, done: int, total: int) -> None:
            progress.update(task, description=f"agreement: {name}", completed=done, total=total)

        agreements = measure_version(
            folder, tokenizer, cache, texts=texts, threads=_threads(), advance=advance
        )
    console.print(_table(agreements))
    checked = judge(agreements)
    _say(f"a CPU of this kind serves {FILES[Precision.FP32]} in {checked.cpu_precision}")
    return checked


def _table(agreements: Sequence[Agreement]) -> Table:
    table = Table(title="Against FP32, one text at a time")
    for heading in ("file", "batches", "texts", "largest move", "allowed", "mean move", "least cosine"):
        table.add_column(heading, justify="left" if heading in ("file", "batches") else "right")
    for item in agreements:
        mark = "" if item.holds else "[red]"
        table.add_row(
            item.variant,
            item.batching,
            str(item.texts),
            f"{mark}{item.largest_move:.5f}",
            f"{item.allowed_move}",
            f"{item.mean_move:.6f}",
            f"{item.least_cosine:.6f}",
        )
    return table


def _say(line: str) -> None:
    console.print(f"  {line}", highlight=False, soft_wrap=True)


def _threads() -> int:
    return len(os.sched_getaffinity(0))
