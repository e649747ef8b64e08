"""Which dead letters a command is about: its options, and what they mean."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Annotated, Any

import typer

from pipeline.dead_letters import DeadLetters, Wanted
from pipeline.event import Platform
from scripts.errors import CommandFailed

Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="In events:dead_letter; without any, what the options choose."),
]
EntryId = Annotated[
    str | None, typer.Option("--entry", metavar="ID", help="Its id in events:raw, as logs name it.")
]
EventId = Annotated[str | None, typer.Option("--event", metavar="EVENT_ID", help="Of this event.")]
Reason = Annotated[str | None, typer.Option(help="undecodable or max_deliveries.")]
OnPlatform = Annotated[str | None, typer.Option("--platform", help="Such as discord.")]
OlderThan = Annotated[
    str | None, typer.Option(metavar="AGE", help="Given up at least so long ago, such as 90m.")
]
NewerThan = Annotated[
    str | None, typer.Option(metavar="AGE", help="Given up at most so long ago: s, m, h or d.")
]
Limit = Annotated[int | None, typer.Option(min=1, help="Most of them, the oldest first.")]
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True, slots=True)
class Choice:
    """The options that choose, as they were given."""

    wanted: Wanted
    older_than_ms: int | None
    newer_than_ms: int | None

    async def of(self, letters: DeadLetters) -> Wanted:
        """The choice as of now; what is given up later is not in it."""
        now_ms = await letters.now_ms()
        return replace(
            self.wanted,
            from_ms=0 if self.newer_than_ms is None else max(0, now_ms - self.newer_than_ms),
            to_ms=None if self.older_than_ms is None else now_ms - self.older_than_ms,
            last_id=await letters.last_id(),
        )


def takes_choice(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of `choose` beside its own; it is called with the choice that they make."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    options = list(inspect.signature(choose, eval_str=True).parameters.values())

    @wraps(command)
    def with_options(**given: Any) -> None:
        choice = choose(**{option.name: given.pop(option.name) for option in options})
        command(choice, **given)

    parameters = [*options, *own]
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_options


def choose(
    ids: Ids = None,
    *,
    entry: EntryId = None,
    event: EventId = None,
    reason: Reason = None,
    platform: OnPlatform = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Limit = None,
) -> Choice:
    """The choice that the options make.

    Raises:
        CommandFailed: a value is not allowed.
    """
    # An empty value is a variable that was not set: to choose all for it would be a bad surprise.
    for option, value in (("--event", event), ("--reason", reason)):
        if value == "":
            raise CommandFailed(f"{option} is empty: leave it out, or say which")
    for entry_id in (*(ids or ()), *(() if entry is None else (entry,))):
        if not re.fullmatch(r"\d{1,19}-\d{1,19}", entry_id):
            raise CommandFailed(f"{entry_id!r}: allowed: an id as in the list, such as 1700000000000-0")
    labels = [known.label for known in Platform if known]
    if platform is not None and platform not in labels:
        raise CommandFailed(f"--platform {platform}: allowed: {', '.join(labels)}")
    wanted = Wanted(
        ids=tuple(ids or ()),
        entry_id=entry or "",
        event_id=event or "",
        reason=reason or "",
        platform=platform or "",
        limit=limit,
    )
    return Choice(wanted, _age_ms("--older-than", older_than), _age_ms("--newer-than", newer_than))


def _age_ms(option: str, age: str | None) -> int | None:
    if age is None:
        return None
    match = re.fullmatch(r"(\d{1,9})([smhd])", age)
    if match is None:
        raise CommandFailed(f"{option} {age}: allowed: a whole number and s, m, h or d, such as 90m")
    return int(match[1]) * _UNITS_MS[match[2]]
