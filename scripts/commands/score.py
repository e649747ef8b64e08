"""`seawall score`: a file of texts in, their scores out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Annotated, BinaryIO

import orjson
import typer
from rich.console import Console

from screener.settings import ScreenerSettings
from scripts.commands.build_if_missing import build_model_if_missing
from scripts.drive.score import BATCH_ROWS, scores, scoring_settings
from scripts.drive.serving import serving
from scripts.rows.feed import feed
from scripts.rows.sink import open_sink
from scripts.rows.source import STDIN, count_lines, require_readable
from scripts.rows.texts import Layout, TextRow, read_texts
from scripts.show.progress import progress


def score(  # noqa: PLR0917  # typer makes options of them
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="JSON Lines, or CSV by its name; gzip or not; - for standard input."
        ),
    ],
    out: Annotated[
        str, typer.Option(metavar="SCORES", help="JSON Lines, gzip by its name; - for standard output.")
    ],
    column: Annotated[str | None, typer.Option(help="Where the text is; else text or content.")] = None,
    id_field: Annotated[str, typer.Option(help="Where a row's id is; without one, its line number.")] = "id",
    limit: Annotated[int | None, typer.Option(min=1, help="Most rows of the file.")] = None,
    triton: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="A Triton that runs; else one is started.")
    ] = None,
    model_version: Annotated[
        int | None, typer.Option(min=1, help="A version of the model; the newest without it.")
    ] = None,
) -> None:
    """Score each row of a file by itself, as the screener would; no similarity, nothing published.

    The settings are the screener's, by the same environment variables, such as CUSTOM_RULES_PATH.
    """
    require_readable(file)
    notes = Console(stderr=True, highlight=False)
    build_model_if_missing(notes)
    settings = scoring_settings()
    rows = read_texts(file, Layout(column, id_field), limit=limit)
    with (
        serving(triton, version=model_version, report=lambda line: notes.print(line, style="dim")) as address,
        open_sink(out) as sink,
        progress(notes, "scoring", lambda: None if file == STDIN else count_lines(file, limit)) as advance,
    ):
        started = time.monotonic()
        done, unusable = asyncio.run(_write(rows, sink, advance, triton=address, settings=settings))
        seconds = time.monotonic() - started
    notes.print(f"{done} rows in {seconds:.1f} s, {done / seconds:.0f} a second", style="dim")
    if unusable:
        notes.print(f"{unusable} of them have no usable text; their lines carry an error instead of scores")


async def _write(
    rows: Iterator[TextRow],
    sink: BinaryIO,
    advance: Callable[[int], None],
    *,
    triton: str,
    settings: ScreenerSettings,
) -> tuple[int, int]:
    """Scores and writes; answers with the number of rows, and of those without a usable text."""
    done = unusable = 0
    async for results in scores(feed(rows, chunk=BATCH_ROWS), triton=triton, settings=settings):
        for result in results:
            sink.write(orjson.dumps(result, option=orjson.OPT_APPEND_NEWLINE))
            unusable += "error" in result
        done += len(results)
        advance(len(results))
    return done, unusable
