"""`seawall dead-letters`: look at what was given up, put it back, or drop it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from pipeline.dead_letters import DeadLetters, Handled, Kept
from scripts.commands.dead_letter_choice import Choice, takes_choice
from scripts.drive.dead_letters import Verbs, handle_all, print_all, until_room
from scripts.errors import CommandFailed
from scripts.rows.fixed_event import read_fixed_event
from scripts.show.dead_letters import details, details_json, json_line, kept_json, line

app = typer.Typer(
    help="Look at what was given up, put it back into the queue, or drop it. Redis is where REDIS_URL says.",
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="A JSON object a line.")]
Content = Annotated[bool, typer.Option("--content", help="What was said, and by whom.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command("list")
@takes_choice
def list_(
    choice: Choice,
    *,
    as_json: AsJson = False,
) -> None:
    """List them, the oldest first: id, time, reason, deliveries, platform, event, and what failed."""
    asyncio.run(print_all(choice.of, (lambda kept: json_line(kept_json(kept))) if as_json else line))


@app.command()
@takes_choice
def show(
    choice: Choice,
    *,
    as_json: AsJson = False,
    content: Content = False,
) -> None:
    """Show all that is known of them; what was said, and by whom, only with --content."""

    def text(kept: Kept) -> str:
        if as_json:
            return json_line(details_json(kept, content=content))
        return "".join(f"{name:<20}{value}\n" for name, value in details(kept, content=content))

    asyncio.run(print_all(choice.of, text))


@app.command()
@takes_choice
def replay(
    choice: Choice,
    *,
    as_json: AsJson = False,
    fix: Annotated[
        str,
        typer.Option(metavar="FILE", help="The event of one ID, corrected, as JSON; - for standard input."),
    ] = "",
    max_queue: Annotated[
        int, typer.Option(min=1, help="Entries of events:raw past which the replay waits.")
    ] = 10_000,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Put events back into the queue, to be screened as new ones are; each gets its one verdict."""
    if fix and len(choice.wanted.ids) != 1:
        raise CommandFailed("--fix corrects one dead letter: give its ID")
    fixed = read_fixed_event(fix).encode() if fix else None

    def mended(page: Sequence[Kept]) -> Sequence[Kept]:
        if fixed is None:
            return page
        return [replace(kept, letter=replace(kept.letter, event=fixed)) for kept in page]

    async def put_back(letters: DeadLetters, page: Sequence[Kept]) -> list[Handled]:
        if dry_run:
            return await letters.check(mended(page))
        await until_room(letters, max_queue)
        return await letters.replay(mended(page))

    verbs = Verbs("replay", "replayed", dry_run=dry_run, asks=not (yes or dry_run), as_json=as_json)
    asyncio.run(handle_all(choice.of, put_back, verbs))


@app.command()
@takes_choice
def drop(
    choice: Choice,
    *,
    as_json: AsJson = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Remove them for good. Their events are forgotten: one that is sent again is a new one."""

    async def remove(letters: DeadLetters, page: Sequence[Kept]) -> list[Handled]:
        return [Handled(kept, done=True) for kept in page] if dry_run else await letters.drop(page)

    verbs = Verbs("drop", "dropped", dry_run=dry_run, asks=not (yes or dry_run), as_json=as_json)
    asyncio.run(handle_all(choice.of, remove, verbs))
