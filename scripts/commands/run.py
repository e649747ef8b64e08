"""`seawall run`: the whole pipeline on this machine, with messages going through it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from itertools import chain
from itertools import repeat as repeated
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from pipeline.hand_off import HandOff
from scripts.commands.build_if_missing import build_model_if_missing
from scripts.commands.keep import stay_up
from scripts.drive.drive import Target, drive
from scripts.drive.summary import summarise
from scripts.errors import BadRow, EventsLost
from scripts.rows.events import EventRow, parse_mapping, read_events
from scripts.rows.feed import feed
from scripts.rows.source import STDIN, require_readable
from scripts.show.json_lines import JsonLines
from scripts.show.live_table import LiveTable
from scripts.show.plain import PlainLines
from scripts.system.system import System, WantedPorts

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "conversations.jsonl"
_FILE_CHUNK = 200


def run(  # noqa: PLR0917  # typer makes options of them
    events: Annotated[
        str, typer.Option(metavar="FILE", help="Events as JSON Lines, gzip or not; - for standard input.")
    ] = str(SAMPLES),
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=NAME", help="A field's name in the file, such as content=text."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most rows of the file.")] = None,
    repeat: Annotated[int, typer.Option(min=1, help="How often the same rows are sent.")] = 1,
    in_flight: Annotated[
        int, typer.Option(min=1, max=10_000, help="Most events without a verdict at a time.")
    ] = 64,
    handoff: Annotated[
        Literal["stream", "direct"],
        typer.Option(help="The way from ingest to the screener: through the queue, or straight."),
    ] = "stream",
    tls: Annotated[  # noqa: FBT002
        bool, typer.Option("--tls", help="TLS between all parts, and for each its own user of Redis.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Stay up afterwards, and say how to use it.")] = False,  # noqa: FBT002
    as_json: Annotated[bool, typer.Option("--json", help="Verdicts and summary as JSON Lines.")] = False,  # noqa: FBT002
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Where Redis keeps its data.")] = None,
    ingest_port: Annotated[int | None, typer.Option(min=1, max=65535, help="gRPC port of ingest.")] = None,
    screener_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="gRPC port of the screener.")
    ] = None,
    redis_port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of Redis.")] = None,
    triton_port: Annotated[int | None, typer.Option(min=1, max=65535, help="gRPC port of Triton.")] = None,
) -> None:
    """Start Redis, Triton, ingest and screener, send messages through, and show every verdict as it comes.

    A line holds an event's fields; without them author_id comes from the line's id or number, platform is
    web_chat, event_type message_created.
    """
    fields = parse_mapping(mapping or [])
    require_readable(events)
    notes = Console(stderr=True, highlight=False)
    build_model_if_missing(notes)
    started = time.monotonic()
    ports = WantedPorts(ingest_port, screener_port, redis_port, triton_port)
    with System(
        ports=ports,
        data_dir=data,
        hand_off=HandOff[handoff.upper()],
        tls=tls,
        report=lambda line: notes.print(line, style="dim"),
    ) as system:
        notes.print(f"ready after {time.monotonic() - started:.1f} s", style="dim")
        show = _show(as_json=as_json)
        target = Target(
            system.ingest_address,
            system.api_key,
            system.redis_url,
            system.tls.credentials if system.tls else None,
            system.tls.of_client("REDIS") if system.tls and system.tls.of_redis else None,
        )
        reader = _rows(events, fields, limit=limit, repeat=repeat)
        rows = feed(reader, chunk=1 if events == STDIN else _FILE_CHUNK)
        with show if isinstance(show, LiveTable) else nullcontext():
            ledger = asyncio.run(drive(target, rows, show, in_flight=in_flight, check=system.check))
        summary = summarise(ledger)
        show.summary(summary)
        if keep:
            stay_up(system, notes)
    if not summary.sound:
        raise EventsLost(
            f"{summary.lost} events lost, {summary.doubled} doubled, {summary.dead_letters} dead-lettered"
        )


def _show(*, as_json: bool) -> LiveTable | PlainLines | JsonLines:
    """What suits the reader of standard output."""
    if as_json:
        return JsonLines(sys.stdout.buffer, sys.stderr)
    console = Console(highlight=False)
    return LiveTable(console) if console.is_terminal else PlainLines(sys.stdout, sys.stderr)


def _rows(
    name: str, mapping: Mapping[str, str], *, limit: int | None, repeat: int
) -> Iterator[EventRow | BadRow]:
    """The rows of the file, `repeat` times; standard input can be read only once, so it is remembered."""
    if name == STDIN and repeat > 1:
        remembered = list(read_events(name, mapping, limit=limit))
        yield from chain.from_iterable(repeated(remembered, repeat))
    else:
        for _ in range(repeat):
            yield from read_events(name, mapping, limit=limit)
