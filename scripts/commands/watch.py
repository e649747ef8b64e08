"""`seawall watch`: verdicts as a screener publishes them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.text import Text
from seawall.screening.v1 import screening_pb2

from pipeline.event import Platform
from pipeline.verdict import Category, Route, Verdict
from scripts.commands.api_key import read_api_key
from scripts.drive.follow import follow
from scripts.errors import CommandFailed
from scripts.show.colours import COLOURS, score, words
from scripts.show.json_lines import verdict_json
from scripts.show.why import why


def watch(  # noqa: PLR0917  # typer makes options of them
    address: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="gRPC address of a screener.")
    ] = "127.0.0.1:50052",
    category: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this one, such as spam; may be repeated.")
    ] = None,
    platform: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this one, such as slack; may be repeated.")
    ] = None,
    route: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this one: low_risk or reasoning_queue.")
    ] = None,
    min_risk: Annotated[float, typer.Option(min=0.0, max=1.0, help="Least risk score.")] = 0.0,
    position: Annotated[
        str, typer.Option(help="Where an earlier watch ended; without it, from now on.")
    ] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many verdicts.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Verdicts as JSON Lines, with positions.")] = False,  # noqa: FBT002
) -> None:
    """Show verdicts as they are published, whoever asked for them; the key is that of API_KEY, or asked for.

    It outlasts restarts of the screener without a gap, and says at its end where to go on.
    """
    api_key = read_api_key()
    request = screening_pb2.WatchVerdictsRequest(
        categories=_numbers("--category", category or (), Category),  # type: ignore[arg-type]  # enums' values
        platforms=_numbers("--platform", platform or (), Platform),  # type: ignore[arg-type]
        route=next(iter(_numbers("--route", (route,) if route else (), Route)), 0),  # type: ignore[arg-type]
        min_risk_score=min_risk,
        position=position,
    )
    notes = Console(stderr=True, highlight=False)
    show = _json_line if as_json else _line(Console(highlight=False))
    try:
        asyncio.run(_watch(address, request, show, limit=limit, api_key=api_key, notes=notes))
    finally:
        if request.position != position:
            notes.print(f"to go on: --position {request.position}", style="dim", soft_wrap=True)


Show = Callable[[screening_pb2.WatchVerdictsResponse], None]


async def _watch(
    address: str,
    request: screening_pb2.WatchVerdictsRequest,
    show: Show,
    *,
    limit: int | None,
    api_key: str,
    notes: Console,
) -> None:
    shown = 0
    async for message in follow(
        address, request, api_key=api_key, report=lambda line: notes.print(line, style="yellow")
    ):
        if message.HasField("verdict"):
            show(message)
            shown += 1
            if shown == limit:
                return


def _numbers(option: str, names: Sequence[str], known: type[IntEnum]) -> list[int]:
    """The numbers of an enum's names, in whatever case."""
    numbers = {member.name.lower(): member.value for member in known if member}
    for name in names:
        if name.lower() not in numbers:
            raise CommandFailed(f"{option} {name}: allowed: {', '.join(numbers)}")
    return [numbers[name.lower()] for name in names]


def _json_line(message: screening_pb2.WatchVerdictsResponse) -> None:
    line = {**verdict_json(Verdict.from_proto(message.verdict)), "position": message.position}
    sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def _line(console: Console) -> Show:
    def show(message: screening_pb2.WatchVerdictsResponse) -> None:
        verdict = Verdict.from_proto(message.verdict)
        console.print(
            Text.assemble(
                score(verdict.risk_score, threshold_passed=verdict.route is Route.REASONING_QUEUE),
                "  ",
                (f"{words(verdict.category):<19}", COLOURS[verdict.category]),
                f"  {Platform(verdict.platform).label:<8}  {verdict.event_id}  ",
                (why(verdict, content=""), "dim"),
            ),
            soft_wrap=True,
        )

    return show
