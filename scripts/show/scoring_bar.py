"""The progress of scoring, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def scoring_bar(notes: Console, total: Callable[[], int | None]) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal; the function moves it on by some rows. Only a bar asks for the total."""
    if not notes.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("scoring"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notes, transient=True) as progress:
        task = progress.add_task("", total=total())
        yield lambda rows: progress.advance(task, rows)
