"""What a command can fail with; every message is one line that says what to do.

SeawallError (pipeline.errors)
└── CommandFailed       the command cannot go on
    ├── FileUnreadable  an input file is missing, broken or not what was said
    ├── EventsLost      the run ended, and some accepted event has no verdict, or more than one
    └── PromisesBroken  the run ended, and some hostile input was not stood
BadRow                  one row of a file is not usable; the row is counted and the rest goes on
"""

from __future__ import annotations

from pipeline.errors import SeawallError


class CommandFailed(SeawallError):
    """The command cannot go on."""


class FileUnreadable(CommandFailed):
    """An input file is missing, broken or not what was said."""


class EventsLost(CommandFailed):
    """Some accepted event has no verdict, or more than one."""


class PromisesBroken(CommandFailed):
    """Some hostile input was not stood."""


class BadRow(SeawallError):
    """One row is not usable: its line, counted from 1, and what is wrong with it."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem
