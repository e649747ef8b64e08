"""The file of API keys: JSON, read by the services and edited by `seawall keys`. It holds hashes, no key.

    {"keys": [{"name": "chat-bot", "sha256": "<64 hex digits>", "scopes": ["ingest", "read"],
               "quota": {"events_per_second": 50, "burst": 200}, "expires": "2027-01-31T00:00:00Z"}]}

Without a quota there is no limit, without `expires` no end. While a key is rotated its name has two entries.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.auth import Caller, Key, Quota, Scope
from pipeline.errors import SeawallError

_OF_SETTINGS = re.compile(r"(key|hand-off)-\d+|nobody")
_MOST_CHARS = 1_048_576


class KeyFileInvalid(SeawallError):
    """The file is not there or not what it should be; says where and why, and quotes nothing of it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ListedQuota(_Strict):
    """See `pipeline.auth.Quota`."""

    events_per_second: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
    burst: Annotated[int, Field(ge=1, le=1_000_000)]


class ListedKey(_Strict):
    """One key of the file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]
    quota: ListedQuota | None = None
    expires: AwareDatetime | None = None

    @field_validator("name")
    @classmethod
    def _is_no_name_of_settings(cls, name: str) -> str:
        if _OF_SETTINGS.fullmatch(name):
            raise ValueError("is a name of a key of API_KEYS or HANDOFF_API_KEYS; choose another")
        return name

    def key(self) -> Key:
        """The key as `ApiKeys` takes it."""
        quota = Quota(self.quota.events_per_second, self.quota.burst) if self.quota else None
        return Key(
            bytes.fromhex(self.sha256),
            Caller(self.name, frozenset(self.scopes), quota),
            self.expires.timestamp() if self.expires else None,
        )


class KeyFile(_Strict):
    """All keys of a file."""

    keys: tuple[ListedKey, ...] = ()

    @field_validator("keys")
    @classmethod
    def _are_different(cls, keys: tuple[ListedKey, ...]) -> tuple[ListedKey, ...]:
        if len({key.sha256 for key in keys}) < len(keys):
            raise ValueError("hold the same sha256 twice")
        return keys

    @classmethod
    def read(cls, path: Path) -> KeyFile:
        """Reads the file.

        Raises:
            KeyFileInvalid: it cannot be read, or is not what it should be.
        """
        try:
            with path.open("rb") as file:
                text = file.read(_MOST_CHARS + 1)
        except OSError as error:
            raise KeyFileInvalid(f"{path}: {error.strerror}") from None
        if len(text) > _MOST_CHARS:
            raise KeyFileInvalid(f"{path}: is larger than 1 MiB")
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise KeyFileInvalid(f"{path}: {'; '.join(_line(e) for e in error.errors())}") from None

    def write(self, path: Path) -> None:
        """Puts this in the place of the file, whole or not at all; its owner and rights stay as they were.

        Raises:
            OSError: the folder or the disk does not take it.
        """
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(self.model_dump_json(indent=2, exclude_none=True).encode() + b"\n")
                file.flush()
                os.fsync(descriptor)
            if path.exists():
                _give_rights(path, fresh)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


@contextmanager
def edited_alone(path: Path) -> Iterator[None]:
    """Keeps other editors of the same file out for the block; waits for one that is at it."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _give_rights(old: Path, fresh: Path) -> None:
    shutil.copymode(old, fresh)
    owner = old.stat()
    if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(
            fresh, owner.st_uid, owner.st_gid
        )  # a service reads it as somebody else than whoever edits it


def _line(error: object) -> str:
    # Never the value: somebody may have put a key where its hash belongs.
    where = ".".join(str(part) for part in error["loc"])  # type: ignore[index]
    return f"{where or 'it'}: {error['msg']}"  # type: ignore[index]
