"""Works through dead letters, page by page."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import typer
from rich.console import Console

from pipeline.audit import AuditLog
from pipeline.dead_letters import DeadLetters, Handled, Kept, Wanted
from pipeline.keys import ONLY
from scripts.drive.operator_store import operator_name, operator_store
from scripts.errors import CommandFailed
from scripts.show.dead_letters import handled_json, json_line, line
from scripts.show.progress import progress

Choice = Callable[[DeadLetters], Awaitable[Wanted]]

_LOOK_S, _PATIENCE_S = 0.5, 60.0


@dataclass(frozen=True, slots=True)
class Verbs:
    """How to speak of what is done, and to whom."""

    do: str
    done: str
    dry_run: bool
    asks: bool
    as_json: bool


async def print_all(choice: Choice, text: Callable[[Kept], str]) -> None:
    """Prints the chosen ones, page by page.

    Raises:
        CommandFailed: Redis is away, or none of the ids that were named is there.
    """
    found = False
    async with operator_store() as store:
        letters = DeadLetters(store, ONLY)
        wanted = await choice(letters)
        async for page in letters.pages(wanted):
            print("\n".join(text(kept) for kept in page))
            found = True
    _require_named(wanted, found=found)


async def handle_all(
    choice: Choice,
    handle: Callable[[DeadLetters, Sequence[Kept]], Awaitable[list[Handled]]],
    verbs: Verbs,
) -> None:
    """Does it page by page, and says what became of each that was not done, or of all as JSON.

    Who did it is in the audit record.

    Raises:
        CommandFailed: Redis is away, none of the ids that were named is there, or some were not done.
    """
    notes = Console(stderr=True, highlight=False)
    done = left = 0
    async with operator_store() as store:
        letters, audit = DeadLetters(store, ONLY), AuditLog(store, ONLY, tell=lambda _: None)
        who, action = operator_name(), f"dead_letters.{verbs.do}"
        wanted = await choice(letters)
        total = sum([len(page) async for page in letters.pages(wanted)])
        _require_named(wanted, found=total > 0)
        if verbs.asks and total:
            _ask(f"{verbs.do} {total} dead letters?")
        if not verbs.dry_run:
            await audit.record(who, action, ONLY.dead_letter, {"stage": "begun", "chosen": total})
        with progress(notes, verbs.do, lambda: total) as advance:
            async for page in letters.pages(wanted):
                handled = await handle(letters, page)
                _tell(handled, verbs)
                done += sum(each.done for each in handled)
                left += sum(not each.done for each in handled)
                advance(len(page))
        if not verbs.dry_run:
            await audit.record(who, action, ONLY.dead_letter, {"stage": "done", "done": done, "left": left})
    notes.print(f"{done} {'would be ' if verbs.dry_run else ''}{verbs.done}", style="dim")
    if left:
        raise CommandFailed(f"{left} {'would not be' if verbs.dry_run else 'not'} {verbs.done}")


def _require_named(wanted: Wanted, *, found: bool) -> None:
    if wanted.ids and not found:
        raise CommandFailed("no such dead letter: the ids are those of `seawall dead-letters list`")


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise CommandFailed("nobody is there to ask: say --yes, or look first with --dry-run")
    typer.confirm(question.capitalize(), abort=True, err=True)


def _tell(handled: Sequence[Handled], verbs: Verbs) -> None:
    for each in handled:
        if verbs.as_json:
            print(json_line(handled_json(each)))
        elif verbs.dry_run or not each.done:
            print(f"{line(each.kept)}  {each.why or f'would be {verbs.done}'}")


async def until_room(letters: DeadLetters, most: int) -> None:
    """Returns when `events:raw` has fewer than `most` entries.

    Raises:
        CommandFailed: it has not become shorter for a minute.
    """
    least, waited_s = await letters.queued(), 0.0
    depth = least
    while depth >= most:
        if waited_s >= _PATIENCE_S:
            raise CommandFailed(f"events:raw has {depth} entries and does not drain: is a screener ready?")
        await asyncio.sleep(_LOOK_S)
        depth = await letters.queued()
        waited_s = 0.0 if depth < least else waited_s + _LOOK_S
        least = min(least, depth)
