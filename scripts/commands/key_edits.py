"""What `seawall keys` does to the file of API keys: one change at a time, recorded before it is made."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.audit import AuditFile
from pipeline.auth import digest_of
from pipeline.key_file import KeyFile, KeyFileInvalid, ListedKey, edited_alone
from scripts.drive.operator_store import operator_name
from scripts.errors import CommandFailed

KEY_BYTES = 32
"""Random bytes of a new key: nobody finds it by trying, so a plain SHA-256 hides it well enough."""


def new_key() -> str:
    """A key that nobody has seen: 43 letters, digits, `-` and `_`."""
    return secrets.token_urlsafe(KEY_BYTES)


def sha256_of(key: str) -> str:
    """What the file holds of a key."""
    return digest_of(key).hex()


class KeyEdits:
    """Changes one file. Each change is one line of `<name>.audit.jsonl` beside it, by name, never by key."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._audit = AuditFile.beside(path)

    def listed(self) -> tuple[ListedKey, ...]:
        """The keys of now; none where there is no file yet.

        Raises:
            CommandFailed: the file is not what it should be.
        """
        if not self._path.exists():
            return ()
        try:
            return KeyFile.read(self._path).keys
        except KeyFileInvalid as error:
            raise CommandFailed(str(error)) from None

    def add(self, key: ListedKey) -> None:
        """Adds a key of a new name.

        Raises:
            CommandFailed: the name is taken.
            OSError: the file, or the record of the change, cannot be written.
        """

        def added(keys: tuple[ListedKey, ...]) -> tuple[ListedKey, ...]:
            if any(known.name == key.name for known in keys):
                raise CommandFailed(f"{key.name}: there is a key of that name; rotate or revoke it")
            return (*keys, key)

        self._edit("keys.add", key.name, added, scopes=" ".join(key.scopes))

    def revoke(self, name: str) -> None:
        """Takes out the key of that name, and what is left of it from a rotation.

        Raises:
            CommandFailed: there is none.
            OSError: as for `add`.
        """

        def left(keys: tuple[ListedKey, ...]) -> tuple[ListedKey, ...]:
            _of(keys, name)
            return tuple(key for key in keys if key.name != name)

        self._edit("keys.revoke", name, left)

    def rotate(self, name: str, sha256: str, *, now: datetime, keep: timedelta) -> None:
        """Adds another key under the name, like the last one; what was there ends after `keep`.

        Raises:
            CommandFailed: there is none.
            OSError: as for `add`.
        """

        def rotated(keys: tuple[ListedKey, ...]) -> tuple[ListedKey, ...]:
            last = _of(keys, name)[-1]
            fresh = last.model_copy(update={"sha256": sha256})
            others = (_ended_by(key, now + keep) if key.name == name else key for key in keys)
            return (*(key for key in others if key.expires is None or key.expires > now), fresh)

        self._edit("keys.rotate", name, rotated, kept_seconds=int(keep.total_seconds()))

    def _edit(
        self,
        action: str,
        name: str,
        edit: Callable[[tuple[ListedKey, ...]], tuple[ListedKey, ...]],
        **details: str | int,
    ) -> None:
        with edited_alone(self._path):
            file = KeyFile(keys=edit(self.listed()))
            self._audit.record(operator_name(), action, name, details)
            file.write(self._path)


def _of(keys: tuple[ListedKey, ...], name: str) -> list[ListedKey]:
    found = [key for key in keys if key.name == name]
    if not found:
        raise CommandFailed(f"{name}: there is no key of that name")
    return found


def _ended_by(key: ListedKey, end: datetime) -> ListedKey:
    return key.model_copy(update={"expires": min(key.expires or end, end)})
