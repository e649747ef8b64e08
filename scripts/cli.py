"""The `seawall` command. What is expected to fail fails in one line on standard error, with exit status 1.

2 stands for a wrong command line, 130 for Ctrl-C, 143 for SIGTERM.
"""

from __future__ import annotations

import errno
import signal
import sys
from collections.abc import Sequence
from functools import cache
from types import FrameType
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from pipeline.errors import SeawallError
from scripts.commands import (
    audit,
    bench,
    certs,
    chaos,
    dead_letters,
    evaluate,
    forget,
    fuzz,
    keys,
    model,
    run,
    score,
    train,
    watch,
)
from scripts.system.triton_runtime import TritonError
from training.errors import TrainingError

app = typer.Typer(
    name="seawall",
    help="Real-time content safety: run the pipeline, score and evaluate files, build and train the model.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(run.run)
app.command()(score.score)
app.command()(evaluate.evaluate)
app.command()(train.train)
app.command()(chaos.chaos)
app.command()(fuzz.fuzz)
app.command()(watch.watch)
app.command()(forget.forget)
app.add_typer(audit.app, name="audit")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(keys.app, name="keys")
app.add_typer(model.app, name="model")
app.add_typer(bench.app, name="bench")
app.add_typer(certs.app, name="certs")

_command = cache(typer.main.get_command)
"""Takes some 40 ms, so it is made once: a process that runs many command lines is the tests' own."""

_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space and try again",
    errno.EDQUOT: "the disk quota is used up: free some space and try again",
    errno.EADDRINUSE: "a port is in use: stop what listens there, or choose another",
    errno.EMFILE: "too many open files: raise the limit (ulimit -n) and try again",
    errno.ENOMEM: "not enough memory: free some and try again",
}


def main() -> NoReturn:
    """The entry point."""
    # A shell starts background jobs with SIGINT ignored; whoever sends it to this one means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    termination = _Termination()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, termination.asked_for)
    status = execute(sys.argv[1:])
    sys.exit(termination.status or status)


def execute(arguments: Sequence[str]) -> int:
    """Runs one command line and answers with the exit status."""
    command = _command(app)
    try:
        return command.main(list(arguments) or ["--help"], prog_name="seawall", standalone_mode=False) or 0
    except TyperException as error:
        return _fail(f"{error.format_message()} (see seawall --help)", status=error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return 128 + signal.SIGINT
    except (SeawallError, TritonError, TrainingError) as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(
            _ADVICE.get(error.errno or 0) or f"{error.filename or 'the system'}: {error.strerror or error}"
        )


def _fail(message: str, *, status: int = 1) -> int:
    print(f"seawall: {' '.join(message.split())}", file=sys.stderr)
    return status


class _Termination:
    """Turns other signals into Ctrl-C, which the event loop and everything that was started end well with."""

    def __init__(self) -> None:
        self.status = 0

    def asked_for(self, number: int, _: FrameType | None) -> None:
        """The handler."""
        self.status = 128 + number
        signal.raise_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
