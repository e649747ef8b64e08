"""`PlainLines`: a verdict a line without control codes, for pipes and files."""

from __future__ import annotations

from typing import TextIO

from pipeline.event import Event, Platform
from pipeline.verdict import Verdict
from scripts.drive.ledger import Ledger
from scripts.drive.summary import Summary
from scripts.show.colours import words
from scripts.show.summary_table import lines
from scripts.show.why import one_line, shortened, why

_MESSAGE_CHARS = 44


class PlainLines:
    """Columns of a fixed width, so that `cut`, `grep` and eyes can follow."""

    def __init__(self, out: TextIO, notes: TextIO) -> None:
        self._out = out
        self._notes = notes

    def verdict(self, event: Event, verdict: Verdict, latency_s: float) -> None:
        """Writes the line."""
        message = shortened(one_line(event.content), _MESSAGE_CHARS)
        print(
            f"{message:<{_MESSAGE_CHARS}}  {Platform(verdict.platform).label:<8}  "
            f"{words(verdict.category):<19}  "
            f"{verdict.risk_score:.2f}  {latency_s * 1000:>7.1f} ms  {why(verdict, event.content)}".rstrip(),
            file=self._out,
        )

    def rejected(self, line: int, problem: str) -> None:
        """Notes it."""
        print(f"line {line} rejected: {problem}", file=self._notes)

    def progress(self, ledger: Ledger) -> None:  # noqa: ARG002  # as every show
        """Lets a reader of the pipe have what is there."""
        self._out.flush()

    def summary(self, summary: Summary) -> None:
        """Writes the numbers, one a line."""
        print(file=self._out)
        for name, value in lines(summary):
            print(f"{name:<28} {value}", file=self._out)
        self._out.flush()
