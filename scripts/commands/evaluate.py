"""`seawall evaluate`: how good the verdicts are, on labelled rows, through the real path."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import orjson
import typer
from rich.console import Console

from scripts.commands.build_if_missing import build_model_if_missing
from scripts.drive.labelled_scores import write_scores
from scripts.drive.score import scoring_settings
from scripts.drive.serving import serving
from scripts.errors import FileUnreadable
from scripts.rows.labelled import LabelledRow, read_labelled
from scripts.rows.score_file import read_scores
from scripts.rows.sink import open_sink
from scripts.show.evaluation_table import comparison_table, targets_table
from scripts.show.progress import progress
from scripts.system.services import ROOT
from training.evaluation.html.page import page
from training.evaluation.report import make_report, report_json
from training.evaluation.rows import Rows, truth_matrix
from training.evaluation.scored import Scored

TEST_FILES = ("moderation-test.jsonl.gz", "moderation-extra-test.jsonl.gz")
DATA = ROOT.parent / "shared" / "data"
OUT = ROOT / ".cache" / "seawall" / "evaluation"


def evaluate(  # noqa: PLR0917  # typer makes options of them
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILES]",
            help="Labelled JSON Lines, gzip or not; without any, the test files of the data folder.",
        ),
    ] = None,
    data: Annotated[
        Path, typer.Option(envvar="SEAWALL_DATA", metavar="DIR", help="Where the test files are.")
    ] = DATA,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Gets evaluation.json, evaluation.html and the scores.")
    ] = OUT,
    scores: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Keeps the scores; where it is there, nothing is scored but it is read."
        ),
    ] = None,
    model_version: Annotated[
        int | None, typer.Option(min=1, help="A version of the model; the newest without it.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="A version, or a file of its scores, to compare with."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most rows of each file.")] = None,
    resamples: Annotated[
        int, typer.Option(min=100, max=20_000, help="Resamples behind the intervals.")
    ] = 1_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the resamples.")] = 1,
    triton: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="A Triton that runs; else one is started.")
    ] = None,
) -> None:
    """Score labelled rows through the real path, and tell how good the scores are.

    The settings are the screener's, by the same environment variables. The report has, for each label and
    source, what rules and model do alone and together, with 95 % intervals.
    """
    notes = Console(stderr=True, highlight=False)
    labelled = read_labelled(files or _test_files(data), limit=limit)
    out.mkdir(parents=True, exist_ok=True)
    first = None
    if against is not None and not against.isdecimal():
        first = read_scores(against, labelled)  # before anything is scored: it may be the wrong file
    kept = scores or str(out / "scores.jsonl.gz")
    if scores and Path(scores).exists():
        scored = read_scores(scores, labelled)
        notes.print(f"{scores} has the scores, by version {scored.served.model_version}", style="dim")
    else:
        scored = _score(labelled, kept, version=model_version, triton=triton, notes=notes)
    if against is not None and first is None:
        kept = str(out / f"scores-of-version-{against}.jsonl.gz")
        first = _score(labelled, kept, version=int(against), triton=None, notes=notes)
    notes.print(f"computing the figures of {len(labelled)} rows", style="dim")
    report = make_report(_columns(labelled), scored, first, resamples=resamples, seed=seed)
    about = {
        "evaluated_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": dict(Counter(row.part for row in labelled)),
        "limit": limit,
        "resamples": resamples,
        "seed": seed,
    }
    with open_sink(str(out / "evaluation.json")) as sink:
        sink.write(orjson.dumps(report_json(report, about), option=orjson.OPT_INDENT_2))
    with open_sink(str(out / "evaluation.html")) as sink:
        sink.write(page(report, about).encode())
    console = Console()
    console.print(targets_table(report.evaluation))
    if report.comparison is not None:
        console.print(comparison_table(report.comparison))
    console.print(f"  {out / 'evaluation.html'}", highlight=False, soft_wrap=True)


def _score(
    labelled: Sequence[LabelledRow], kept: str, *, version: int | None, triton: str | None, notes: Console
) -> Scored:
    """Scores the rows into the file called `kept`."""
    if triton is None:
        build_model_if_missing(notes)
    settings = scoring_settings()
    with (
        serving(triton, version=version, report=lambda line: notes.print(line, style="dim")) as address,
        open_sink(kept) as sink,
        progress(notes, "scoring", lambda: len(labelled)) as advance,
    ):
        asyncio.run(write_scores(labelled, sink, advance, triton=address, settings=settings))
    return read_scores(kept, labelled)


def _test_files(data: Path) -> list[str]:
    files = [data / name for name in TEST_FILES if (data / name).is_file()]
    if not files:
        raise FileUnreadable(
            f"{data} has no {' or '.join(TEST_FILES)}: name files, or their folder with --data"
        )
    return [str(file) for file in files]


def _columns(labelled: Sequence[LabelledRow]) -> Rows:
    return Rows(
        ids=tuple(row.row_id for row in labelled),
        texts=tuple(row.text for row in labelled),
        parts=np.array([row.part for row in labelled]),
        sources=np.array([row.source for row in labelled]),
        truth=truth_matrix([row.labels for row in labelled]),
    )
