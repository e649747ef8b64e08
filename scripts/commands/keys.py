"""`seawall keys`: the file of API keys, which the services read again when it changes."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console

from pipeline.auth import Scope
from pipeline.key_file import ListedKey, ListedQuota
from scripts.commands.key_edits import KeyEdits, new_key, sha256_of
from scripts.errors import CommandFailed

app = typer.Typer(
    help="Make, list, revoke and rotate API keys. The file is --file, or where API_KEYS_FILE says.",
    no_args_is_help=True,
)

File = Annotated[
    Path | None, typer.Option("--file", metavar="PATH", help="The file of keys; else API_KEYS_FILE.")
]
Name = Annotated[str, typer.Argument(help="What the key is called in logs, metrics and records.")]
AsJson = Annotated[bool, typer.Option("--json", help="A JSON object a line.")]


@app.command()
def new(
    name: Name,
    *,
    scope: Annotated[list[Scope], typer.Option(help="What the key is for; may be repeated.")],
    events_per_second: Annotated[
        float | None, typer.Option(metavar="N", help="Quota: events a second over time; without it, none.")
    ] = None,
    burst: Annotated[
        int | None, typer.Option(metavar="N", help="Quota: events at once; else those of two seconds.")
    ] = None,
    expires_in_days: Annotated[
        float | None, typer.Option(min=0.001, max=36_500, metavar="N", help="When it ends; else never.")
    ] = None,
    file: File = None,
) -> None:
    """Make a key and print it, once: the file keeps its hash alone."""
    edits = _edits(file)
    key = new_key()
    try:
        edits.add(
            ListedKey(
                name=name,
                sha256=sha256_of(key),
                scopes=tuple(dict.fromkeys(scope)),
                quota=_quota(events_per_second, burst),
                expires=datetime.now(UTC) + timedelta(days=expires_in_days) if expires_in_days else None,
            )
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise CommandFailed(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None
    _tell(key, f"the key {name}, which is shown this once; it is in force within two seconds")


@app.command("list")
def list_(*, as_json: AsJson = False, file: File = None) -> None:
    """List names, scopes, quotas and ends; no key and no hash."""
    now = datetime.now(UTC)
    console = Console(highlight=False)
    for key in _edits(file).listed():
        if as_json:
            shown = key.model_dump(mode="json", exclude={"sha256"}, exclude_none=True)
            sys.stdout.buffer.write(orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE))
        else:
            console.print(_line(key, now), soft_wrap=True)
    sys.stdout.buffer.flush()


@app.command()
def revoke(name: Name, *, file: File = None) -> None:
    """Take a key out of force; its open streams end within two seconds."""
    _edits(file).revoke(name)
    _note(f"{name} is revoked")


@app.command()
def rotate(
    name: Name,
    *,
    keep_hours: Annotated[
        float, typer.Option(min=0, max=8_760, metavar="N", help="How long the old key is still in force.")
    ] = 24.0,
    file: File = None,
) -> None:
    """Make another key under the same name, scopes and quota, and print it, once."""
    key = new_key()
    _edits(file).rotate(name, sha256_of(key), now=datetime.now(UTC), keep=timedelta(hours=keep_hours))
    _tell(key, f"the new key {name}, which is shown this once; the old one ends in {keep_hours:g} hours")


def _edits(file: Path | None) -> KeyEdits:
    path = file or Path(os.environ.get("API_KEYS_FILE", ""))
    if path == Path():
        raise CommandFailed("--file is missing; allowed: the file of keys, there or in API_KEYS_FILE")
    return KeyEdits(path)


def _quota(events_per_second: float | None, burst: int | None) -> ListedQuota | None:
    if events_per_second is None:
        if burst is not None:
            raise CommandFailed("--burst: allowed: with --events-per-second")
        return None
    most = max(1, round(events_per_second * 2)) if burst is None else burst
    return ListedQuota(events_per_second=events_per_second, burst=most)


def _line(key: ListedKey, now: datetime) -> str:
    quota = f"{key.quota.events_per_second:g}/s, {key.quota.burst} at once" if key.quota else "no quota"
    if key.expires is None:
        end = "no end"
    else:
        end = f"{'ended' if key.expires <= now else 'ends'} {key.expires:%Y-%m-%d %H:%M}"
    return f"{key.name:<24}  {' '.join(key.scopes):<32}  {quota:<24}  {end}"


def _tell(key: str, words: str) -> None:
    """The key alone on standard output, for a pipe; the words for a person beside it."""
    print(key)
    _note(words)


def _note(words: str) -> None:
    Console(stderr=True, highlight=False).print(words, style="dim", soft_wrap=True)
