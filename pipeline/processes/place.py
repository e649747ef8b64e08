"""`Place`: which of a service's processes this is, as its command line says."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_PART, _FOLDER = "--part", "--folder"


@dataclass(frozen=True, slots=True)
class Place:
    """One process of a service that runs as several.

    Attributes:
        part: its name, such as `worker-2`.
        folder: where the sockets of all of them lie; its owner's alone.
    """

    part: str
    folder: Path

    @property
    def http_socket(self) -> Path:
        """Where it answers HTTP, to its parent."""
        return self.folder / f"{self.part}.http"

    @property
    def command(self) -> list[str]:
        """What starts it: this process's own command line, with the place behind it."""
        return [sys.executable, *sys.orig_argv[1:], _PART, self.part, _FOLDER, str(self.folder)]

    @classmethod
    def of(cls, arguments: Sequence[str]) -> Place | None:
        """The place that a command line names, without the program; None for a service that is started."""
        match list(arguments):
            case [*_, "--part", part, "--folder", folder]:
                return cls(part, Path(folder))
        return None


def when_parent_ends(call: Callable[[], None]) -> None:
    """Makes the call once the parent is no more, however that happened: our standard input ends then."""
    loop, standard_input = asyncio.get_running_loop(), sys.stdin.fileno()

    def ended() -> None:
        loop.remove_reader(standard_input)
        call()

    loop.add_reader(standard_input, ended)


def workers(count: int) -> tuple[str, ...]:
    """The names of so many workers."""
    return tuple(f"worker-{number}" for number in range(1, count + 1))
