"""A progress bar, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress(notes: Console, what: str, total: Callable[[], int | None]) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere; the function moves it on. Only a bar asks for the total."""
    if not notes.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notes, transient=True) as bar:
        task = bar.add_task("", total=total())
        yield lambda n: bar.advance(task, n)
