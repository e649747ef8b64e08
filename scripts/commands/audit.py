"""`seawall audit`: who did what, and when."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.audit import AuditFile, AuditLog, AuditRecord
from pipeline.errors import EntryUndecodable
from pipeline.keys import ONLY
from scripts.drive.operator_store import operator_store
from scripts.errors import CommandFailed

app = typer.Typer(help="What operators and keys did to the system.", no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Has one command so far, which is said in full all the same."""


@app.command()
def show(
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The records beside this file of keys; without it, Redis's."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most of them, the newest.")] = 1_000,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,  # noqa: FBT002
) -> None:
    """List the records, the oldest first: when, who, what, to what. Redis is where REDIS_URL says."""
    try:
        if file is not None:
            if not file.exists():
                raise CommandFailed(f"{file}: there is no such file")
            records: Iterable[AuditRecord] = deque(AuditFile.beside(file).records(), maxlen=limit)
        else:
            records = asyncio.run(_newest(limit))
    except EntryUndecodable as error:
        raise CommandFailed("the audit record holds what no release of Seawall wrote") from error
    for record in records:
        if as_json:
            sys.stdout.buffer.write(record.line())
        else:
            print(_line(record))


async def _newest(limit: int) -> Iterable[AuditRecord]:
    newest: deque[AuditRecord] = deque(maxlen=limit)
    async with operator_store() as store:
        async for record in AuditLog(store, ONLY).records():
            newest.append(record)
    return newest


def _line(record: AuditRecord) -> str:
    at = datetime.fromtimestamp(record.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    details = " ".join(f"{name}={value}" for name, value in record.details.items())
    # A name that holds a newline must not look like a record of its own.
    return "  ".join(repr(part)[1:-1] for part in (at, record.who, record.action, record.target, details))
