"""`seawall chaos`: breaks a system of its own, and tells what became of every event."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Annotated, Literal

import typer
from rich.console import Console

from pipeline.hand_off import HandOff
from scripts.chaos.faults import FAULTS
from scripts.chaos.run import Plan, breakable_system, run_chaos
from scripts.chaos.schedule import in_rounds
from scripts.chaos.table import show
from scripts.commands.build_if_missing import build_model_if_missing
from scripts.errors import CommandFailed, EventsLost

_PIPE_COLUMNS = 120
_WAYS = {
    "stream": (HandOff.STREAM,),
    "direct": (HandOff.DIRECT,),
    "both": (HandOff.STREAM, HandOff.DIRECT),
}


def chaos(  # noqa: PLR0917  # typer makes options of them
    minutes: Annotated[float, typer.Option(min=0.1, max=1440, help="How long to break things.")] = 10.0,
    handoff: Annotated[
        Literal["stream", "direct", "both"],
        typer.Option(help="The way from ingest to the screeners; both: round by round."),
    ] = "both",
    seed: Annotated[
        int | None, typer.Option(min=0, help="For the order and the moments of the faults, and the load.")
    ] = None,
    events_per_second: Annotated[float, typer.Option(min=1, max=10_000, help="The load.")] = 100.0,
    outage: Annotated[
        float, typer.Option(min=0.1, max=600, help="Seconds that a part is away or frozen.")
    ] = 5.0,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this kind of fault; may be repeated.")
    ] = None,
) -> None:
    """Start a system, send events through it, break one part after the other, and count.

    Ends with status 1 where an event was lost or doubled, or a promise broken in another way.
    """
    kinds = [kind for kind in FAULTS if not fault or kind.name in fault]
    if fault and len(kinds) < len(set(fault)):
        raise CommandFailed(f"--fault: there are: {', '.join(kind.name for kind in FAULTS)}")
    notes = Console(stderr=True, highlight=False)
    build_model_if_missing(notes)
    if seed is None:
        seed = random.randrange(1_000_000)  # noqa: S311  # no secret
    plan = Plan(
        order=in_rounds(kinds, _WAYS[handoff], random.Random(seed)),  # noqa: S311  # no secret
        seconds=60 * minutes,
        outage_s=outage,
        events_per_second=events_per_second,
        seed=seed,
    )
    notes.print(f"seed {seed}")

    def tell(line: str) -> None:
        notes.print(f"{time.strftime('%H:%M:%S')}  {line}", style="dim", soft_wrap=True)

    with breakable_system(minutes=minutes, report=tell) as (system, network):
        report = asyncio.run(run_chaos(system, network, plan, tell))
        out = Console(highlight=False)
        show(report, out if out.is_terminal else Console(highlight=False, width=_PIPE_COLUMNS))
        if not report.sound:  # raised in the block, for then the logs stay
            raise EventsLost(
                f"{report.total.tally.lost} events lost, {report.total.tally.doubled} doubled, "
                f"{len(report.complaints)} complaints (seed {seed}, logs: {system.folder})"
            )
