"""The audit record: who did what to the system, and when. It is only ever appended to.

What acts on Redis leaves its record there (`AuditLog`), what acts on a file leaves it beside that file
(`AuditFile`). A record names keys by their names, authors by a keyed digest and entries by their ids: never
content, never a secret, never a user.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import redis.asyncio as aioredis
import structlog

from pipeline.errors import EntryUndecodable
from pipeline.keys import Keys
from pipeline.store import Entry, store_errors

Details = Mapping[str, str | int]
"""Facts of an action: counts, names, choices."""

_PAGE = 500
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One action.

    Attributes:
        at_ms: when, ms since the epoch: by Redis's clock in a stream, by this machine's in a file.
        who: an API key's name, or `<user>@<host>` of an operator's command.
        action: a fixed name, such as `dead_letters.drop`.
        target: what it was done to.
        details: what else is to be known of it.
    """

    at_ms: int
    who: str
    action: str
    target: str
    details: Details = field(default_factory=dict)

    def fields(self) -> dict[str, bytes | str]:
        """The fields of a stream entry, whose id tells when."""
        return {
            "who": self.who,
            "action": self.action,
            "target": self.target,
            "details": orjson.dumps(self.details),
        }

    @classmethod
    def of_entry(cls, entry: Entry) -> AuditRecord:
        """Reads a stream entry.

        Raises:
            EntryUndecodable: it has another layout.
        """
        entry_id, fields = entry
        try:
            who, action, target = (fields[name].decode() for name in (b"who", b"action", b"target"))
            return cls(int(entry_id.split(b"-")[0]), who, action, target, orjson.loads(fields[b"details"]))
        except (KeyError, ValueError) as error:
            raise EntryUndecodable("audit record") from error

    def line(self) -> bytes:
        """A JSON object with a newline."""
        return orjson.dumps(self, option=orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def of_line(cls, line: bytes) -> AuditRecord:
        """Reads what `line` wrote.

        Raises:
            EntryUndecodable: it is something else.
        """
        try:
            return cls(**orjson.loads(line))
        except (TypeError, ValueError) as error:
            raise EntryUndecodable("audit record") from error

    def log(self) -> None:
        """Says it in the log as well, for whoever collects logs where nobody may delete them."""
        _log.info("audit", who=self.who, action=self.action, target=self.target, details=dict(self.details))


@dataclass(frozen=True)
class AuditLog:
    """The records in Redis. No code of ours trims them.

    Attributes:
        client: Redis.
        keys: the names of its keys.
        tell: is told of each record beside; a command, whose output is not the log, tells nobody.
    """

    client: aioredis.Redis
    keys: Keys
    tell: Callable[[AuditRecord], None] = AuditRecord.log

    async def record(self, who: str, action: str, target: str, details: Details) -> None:
        """Appends one.

        An action is recorded before it is done, so that there is none without a trace; what came of it is
        recorded after it.

        Raises:
            StoreUnavailable: Redis is away or cannot write; the action must then not be done.
        """
        record = AuditRecord(0, who, action, target, details)
        with store_errors():
            await self.client.xadd(self.keys.audit, record.fields())  # type: ignore[arg-type]  # a dict is invariant
        self.tell(record)

    async def records(self) -> AsyncIterator[AuditRecord]:
        """All of them, the oldest first.

        Raises:
            StoreUnavailable: Redis is away.
            EntryUndecodable: somebody else wrote there.
        """
        after = "-"
        while True:
            with store_errors():
                entries: list[Entry] = await self.client.xrange(self.keys.audit, after, "+", count=_PAGE)  # type: ignore[assignment]  # bytes, as `connect` asks
            for entry in entries:
                yield AuditRecord.of_entry(entry)
            if len(entries) < _PAGE:
                return
            after = f"({entries[-1][0].decode()}"


@dataclass(frozen=True)
class AuditFile:
    """The records beside a file, one JSON object a line; whoever may write the file may read them."""

    path: Path
    clock_ms: Callable[[], int] = field(default=lambda: time.time_ns() // 1_000_000)

    @classmethod
    def beside(cls, path: Path) -> AuditFile:
        """The records of what is done to the file at `path`: `<name>.audit.jsonl` in the same folder."""
        return cls(path.with_name(f"{path.name}.audit.jsonl"))

    def record(self, who: str, action: str, target: str, details: Details) -> None:
        """Appends one, durably; call it before the action is done. Blocks for a write to the disk.

        Raises:
            OSError: the file cannot be written; the action must then not be done.
        """
        record = AuditRecord(self.clock_ms(), who, action, target, details)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # One write: of two processes at once neither cuts the other's line.
            os.write(descriptor, record.line())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def records(self) -> Iterator[AuditRecord]:
        """All of them, the oldest first; none where there is no file yet.

        Raises:
            EntryUndecodable: a line is none.
        """
        try:
            with self.path.open("rb") as lines:
                for line in lines:
                    yield AuditRecord.of_line(line)
        except FileNotFoundError:
            return
