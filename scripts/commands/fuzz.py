"""`seawall fuzz`: sends hostile inputs to a system of its own, and tells what it could not stand."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from scripts.commands.build_if_missing import build_model_if_missing
from scripts.errors import PromisesBroken
from scripts.fuzz.run import Plan, run_fuzz
from scripts.fuzz.table import show
from scripts.system.system import System

_PIPE_COLUMNS = 120
_SETTINGS = {"LOG_LEVEL": "INFO", "LOW_RISK_MAX_ENTRIES": "100000000"}
"""What is logged must be sound, and the audit reads every verdict."""


def fuzz(
    inputs: Annotated[int, typer.Option(min=1, help="How many inputs, about.")] = 1_000_000,
    seed: Annotated[int | None, typer.Option(min=0, help="Makes the inputs.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, max=1440, help="After so long nothing more is sent.")
    ] = None,
    failures: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where inputs that break a promise are written, in hex.")
    ] = Path("fuzz-failures"),
) -> None:
    """Start a system, send it malformed and hostile inputs at every method, and look what becomes of it.

    Ends with status 1 where a process died, a call hung or ended with INTERNAL or UNKNOWN, a refusal lacked
    its reason, a log line was broken, or an accepted event did not get its one verdict.
    """
    notes = Console(stderr=True, highlight=False)
    build_model_if_missing(notes)
    if seed is None:
        seed = random.randrange(1_000_000)  # noqa: S311  # no secret
    plan = Plan(inputs=inputs, seed=seed, seconds=60 * minutes if minutes else float("inf"))
    notes.print(f"seed {seed}")

    def tell(line: str) -> None:
        notes.print(f"{time.strftime('%H:%M:%S')}  {line}", style="dim", soft_wrap=True)

    with System(settings=_SETTINGS, report=tell) as system:
        report = asyncio.run(run_fuzz(system, plan, failures=failures, report=tell))
        out = Console(highlight=False)
        show(report, out if out.is_terminal else Console(highlight=False, width=_PIPE_COLUMNS))
        if report.complaints:  # raised in the block, for then the logs stay
            raise PromisesBroken(
                f"{len(report.complaints)} promises broken "
                f"(seed {seed}, inputs: {failures}, logs: {system.folder})"
            )
