"""The keys in force: those of the settings, and those of `API_KEYS_FILE`, read again when it changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog

from pipeline.audit import AuditRecord, Details
from pipeline.auth import ApiKeys, Key
from pipeline.errors import StartupFailed, StoreUnavailable
from pipeline.key_file import KeyFile, KeyFileInvalid
from pipeline.key_metrics import KeyMetrics
from pipeline.refusals import Refusals
from pipeline.watched_files import WatchedFiles

_PERIOD_S = 1.0
_log = structlog.get_logger(__name__)

Record = Callable[[str, str, str, Details], Awaitable[None]]
"""`AuditLog.record`, or `record_in_log`."""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What a change of the file did, by the names of the keys."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    altered: tuple[str, ...]

    @classmethod
    def between(cls, before: Iterable[Key], after: Iterable[Key]) -> KeyChange:
        """From these keys to those."""
        old, new = ({key.digest: key for key in keys} for keys in (before, after))
        return cls(
            _names(new[digest] for digest in new.keys() - old.keys()),
            _names(old[digest] for digest in old.keys() - new.keys()),
            _names(new[digest] for digest in new.keys() & old.keys() if new[digest] != old[digest]),
        )

    def details(self) -> dict[str, str]:
        """For the log and the audit record."""
        return {name: ", ".join(getattr(self, name)) for name in ("added", "removed", "altered")}


class KeysInForce:
    """Gives the keys of now; a change that does not load leaves the old ones in force, and says so."""

    def __init__(
        self,
        *,
        keys: Iterable[str],
        hand_off: Iterable[str] = (),
        path: Path | None,
        metrics: KeyMetrics,
    ) -> None:
        """Loads the keys.

        Args:
            keys: those of `API_KEYS`.
            hand_off: those of `HANDOFF_API_KEYS`.
            path: `API_KEYS_FILE`.
            metrics: counts what is refused and what is read.

        Raises:
            StartupFailed: there is no key, or the file does not load.
        """
        self._path = path
        self._metrics = metrics
        self._file = WatchedFiles(path)
        try:
            self._listed = self._read()
        except KeyFileInvalid as error:
            raise StartupFailed(f"API_KEYS_FILE is not valid: {error}") from None
        self.keys = ApiKeys(keys, hand_off=hand_off, listed=self._listed, refused=Refusals(metrics).note)
        metrics.in_force.set(len(self.keys))

    async def watch(self, *, who: str, record: Record, each_time: Callable[[], None]) -> None:
        """Looks for changes until cancelled.

        A change is in force before it is recorded, for a revocation cannot wait for Redis; what could not
        be recorded is tried again.

        Args:
            who: the service, for the audit record.
            record: appends one.
            each_time: called after each look; ends what keys began that are in force no more.
        """
        unrecorded: list[KeyChange] = []
        while True:
            await asyncio.sleep(_PERIOD_S)
            change = await asyncio.to_thread(self._changed)
            if change is not None:
                self.keys.list_anew(self._listed)
                self._metrics.in_force.set(len(self.keys))
                _log.info("keys_reloaded", **change.details())
                unrecorded.append(change)
            each_time()
            try:
                while unrecorded:
                    await record(who, "keys.reload", "API_KEYS_FILE", unrecorded[0].details())
                    unrecorded.pop(0)
            except StoreUnavailable:
                continue

    def _changed(self) -> KeyChange | None:
        """Reads the file where it has changed; None where the keys stay as they are."""
        if not self._file.changed():
            return None
        try:
            listed = self._read()
        except KeyFileInvalid as error:
            self._metrics.reloads.labels("failed").inc()
            _log.error("keys_not_reloaded", reason=str(error))  # a trace would tell no more
            return None
        self._metrics.reloads.labels("changed").inc()
        change = KeyChange.between(self._listed, listed)
        self._listed = listed
        return change

    def _read(self) -> tuple[Key, ...]:
        if self._path is None:
            return ()
        return tuple(listed.key() for listed in KeyFile.read(self._path).keys)


async def record_in_log(who: str, action: str, target: str, details: Details) -> None:
    """The record of ingest, the service that strangers reach: it may not touch the one in Redis."""
    AuditRecord(0, who, action, target, details).log()


def _names(keys: Iterable[Key]) -> tuple[str, ...]:
    return tuple(sorted({key.caller.name for key in keys}))
