"""`seawall model`: build the served model, and show how well its variants agree."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from screener.tokens import Tokenizer
from training.agreement import LARGEST_MOVE, TEXTS, Agreement, Run, alone, ask, compare, mixed
from training.build import FILES, MODEL, build_version
from training.check_texts import check_texts
from training.errors import BuildFailed, TrainingError
from training.graph import Precision
from training.sessions import cpu_has_bf16, plain_session, served_session
from training.source import fetch_source

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "seawall"
REPOSITORY = ROOT / "model_repository"
WEIGHTS = ROOT / "training" / "weights" / "e5_risk.json"

app = typer.Typer(help="Build and check the risk model that Triton serves.", no_args_is_help=True)
console = Console()


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Print what went wrong as one line and exit with 1, instead of a stack trace."""
    try:
        yield
    except TrainingError as error:
        console.print(f"[red]error:[/red] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error


@app.command()
def build(
    repository: Annotated[Path, typer.Option(help="Triton's model repository.")] = REPOSITORY,
    weights: Annotated[Path, typer.Option(help="The trained head.")] = WEIGHTS,
    cache: Annotated[Path, typer.Option(help="Where downloads are kept.")] = CACHE,
    texts: Annotated[int, typer.Option(min=1, help="Texts of the agreement check.")] = TEXTS,
) -> None:
    """Fetch the encoder, write the FP32, FP16 and INT8 graphs, check them, and place the next version."""
    with one_line_errors():
        started = time.monotonic()
        source = fetch_source(cache, _say)
        built = build_version(
            source,
            weights,
            repository,
            check=lambda folder: check_variants(folder, source.tokenizer, texts),
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
) -> None:
    """Print how far each variant of a version lies from the FP32 graph, alone and in mixed batches."""
    with one_line_errors():
        model = repository / MODEL
        versions = sorted(int(path.name) for path in model.glob("[0-9]*") if path.name.isdigit())
        if not versions or (version is not None and version not in versions):
            raise BuildFailed(f"{model} has no version {version or ''}: run `seawall model build`")
        check_variants(model / str(version or versions[-1]), model / "tokenizer.json", texts)


def check_variants(folder: Path, tokenizer: Path, count: int) -> list[Agreement]:
    """Compare every variant in `folder`, print the table, and raise AgreementBroken where a bound is broken."""
    encoded = Tokenizer.from_file(tokenizer).encode(check_texts(count))
    threads = _threads()
    served = f"CPU, OpenVINO {'bf16' if cpu_has_bf16() else 'f32'}"
    fp32, fp16, int8 = (folder / FILES[precision] for precision in (Precision.FP32, Precision.FP16, Precision.INT8))
    runs: Sequence[tuple[str, Run]] = (
        (f"{fp32.name} ({served})", served_session(fp32, threads=threads)),
        (f"{fp16.name} (CPU)", plain_session(fp16, threads=threads)),
        (f"{int8.name} (CPU)", plain_session(int8, threads=threads)),
    )
    agreements: list[Agreement] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("agreement: reference", total=count * (1 + 2 * len(runs)))

        def advance(rows: int) -> None:
            progress.advance(task, rows)

        reference = ask(plain_session(fp32, threads=threads), alone(encoded), count, advance)
        for name, run in runs:
            for batching, buckets in (("alone", alone(encoded)), ("mixed", mixed(encoded))):
                progress.update(task, description=f"agreement: {name} {batching}")
                agreements.append(compare(name, batching, ask(run, buckets, count, advance), reference))
    console.print(_table(agreements))
    for agreement in agreements:
        agreement.require()
    return agreements


def _table(agreements: Sequence[Agreement]) -> Table:
    table = Table(title=f"Against FP32, one text at a time; allowed move {LARGEST_MOVE}")
    for heading in ("file", "batches", "texts", "largest move", "mean move", "least cosine"):
        table.add_column(heading, justify="left" if heading in ("file", "batches") else "right")
    for item in agreements:
        mark = "" if item.largest_move <= LARGEST_MOVE else "[red]"
        table.add_row(
            item.variant,
            item.batching,
            str(item.texts),
            f"{mark}{item.largest_move:.5f}",
            f"{item.mean_move:.6f}",
            f"{item.least_cosine:.6f}",
        )
    return table


def _say(line: str) -> None:
    console.print(f"  {line}", highlight=False, soft_wrap=True)


def _threads() -> int:
    return len(os.sched_getaffinity(0))
