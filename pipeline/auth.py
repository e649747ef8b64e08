"""API keys: who calls, and what for."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum

from pipeline.errors import Forbidden, StartupFailed, Unauthenticated

METADATA_KEYS = ("api-key", "x-api-key")
"""Where a call carries its key."""

MIN_KEY_CHARS = 16


class Scope(StrEnum):
    """What a key is for."""

    INGEST = "ingest"
    SCREEN = "screen"
    READ = "read"
    ADMIN = "admin"
    HAND_OFF = "hand_off"


AnyOf = frozenset[Scope]
"""Scopes of which one is enough; without any, every key is."""

PLAIN_SCOPES: AnyOf = frozenset({Scope.INGEST, Scope.SCREEN, Scope.READ})
"""What the keys of `API_KEYS` are for; those of `HANDOFF_API_KEYS` hand off beside."""


@dataclass(frozen=True, slots=True)
class Quota:
    """How many events a key may send: so many a second over time, and at once up to `burst`."""

    events_per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls: the name of the key, never the key."""

    name: str
    scopes: frozenset[Scope]
    quota: Quota | None = None


NOBODY = Caller("nobody", frozenset())
"""The caller of what no call has begun."""

_calling: ContextVar[Caller] = ContextVar("caller", default=NOBODY)


def current_caller() -> Caller:
    """Who made the call that is being answered, also in the tasks that it started."""
    return _calling.get()


def set_caller(caller: Caller) -> None:
    """Says who made the call of the current task."""
    _calling.set(caller)


@dataclass(frozen=True, slots=True)
class Key:
    """A key, known by the SHA-256 of its characters, and in force until `expires_at_s` of Unix time.

    A slow hash would add nothing: a key is 32 random bytes, which nobody finds by trying.
    """

    digest: bytes
    caller: Caller
    expires_at_s: float | None = None


Refused = Callable[[Unauthenticated | Forbidden, str, str], None]
"""Takes why a call is refused, the door (grpc or http), and the name of the method or route."""


class ApiKeys:
    """The keys in force; only their hashes are kept."""

    def __init__(
        self,
        keys: Iterable[str] = (),
        *,
        hand_off: Iterable[str] = (),
        listed: Iterable[Key] = (),
        refused: Refused = lambda *_: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Takes the keys.

        Args:
            keys: those of `API_KEYS`; their callers are named key-1, key-2, ...
            hand_off: those of `HANDOFF_API_KEYS`, named hand-off-1, ... where they are no key of `API_KEYS`.
            listed: those of `API_KEYS_FILE`.
            refused: told of each call that is refused.
            clock: gives the Unix time in seconds.

        Raises:
            StartupFailed: there is no key, or one is too short to be secret. No key never means no check.
        """
        self._clock = clock
        self._refused = refused
        self._plain = {key.digest: key for key in _plain(keys, setting="API_KEYS", name="key")}
        for key in _plain(hand_off, setting="HANDOFF_API_KEYS", name="hand-off"):
            caller = self._plain.get(key.digest, key).caller
            self._plain[key.digest] = Key(
                key.digest, replace(caller, scopes=caller.scopes | {Scope.HAND_OFF})
            )
        self._in_force: dict[bytes, Key] = {}
        self.list_anew(listed)
        if not self._in_force:
            raise StartupFailed(
                f"API_KEYS is empty; allowed: one or more keys of at least {MIN_KEY_CHARS} characters, "
                "or a file of keys in API_KEYS_FILE"
            )

    def __len__(self) -> int:
        return len(self._in_force)

    def list_anew(self, listed: Iterable[Key]) -> None:
        """Puts these keys in force in the place of those that were listed before."""
        self._in_force = {**{key.digest: key for key in listed}, **self._plain}

    def enter(
        self, metadata: Iterable[tuple[str, str | bytes]], wanted: AnyOf | None, *, door: str, at: str
    ) -> Key:
        """The key of a call, if that may go on.

        Args:
            metadata: what the call carries.
            wanted: scopes of which it needs one; without any, every key does; None lets nobody in.
            door: grpc or http.
            at: the name of the method or route.

        Raises:
            Unauthenticated: it carries no key, or one that is not in force.
            Forbidden: its key has none of the scopes.
        """
        try:
            key = self._key_of(metadata)
            _must_have(key.caller, wanted)
        except (Unauthenticated, Forbidden) as error:
            self._refused(error, door, at)
            raise
        return key

    def must_be_in_force(self, key: Key) -> None:
        """Passes a key that is still in force, whatever it was for when a call began.

        Raises:
            Unauthenticated: it is not.
        """
        if key.digest not in self._in_force:
            raise Unauthenticated("the key was revoked", reason="revoked")
        self._must_not_be_over(self._in_force[key.digest])

    def _key_of(self, metadata: Iterable[tuple[str, str | bytes]]) -> Key:
        for name, value in metadata:
            if name in METADATA_KEYS:
                # The time that the look-up takes helps nobody: what a SHA-256 begins with cannot be chosen.
                key = self._in_force.get(digest_of(value))
                if key is None:
                    raise Unauthenticated(f"the key in the {name} metadata is not valid", reason="wrong_key")
                self._must_not_be_over(key)
                return key
        raise Unauthenticated("no key: send one in the api-key or x-api-key metadata", reason="no_key")

    def _must_not_be_over(self, key: Key) -> None:
        if key.expires_at_s is not None and key.expires_at_s <= self._clock():
            raise Unauthenticated("the key has expired", reason="expired")


def digest_of(key: str | bytes) -> bytes:
    """What is kept of a key: the SHA-256 of its characters in UTF-8."""
    return hashlib.sha256(key.encode() if isinstance(key, str) else key).digest()


def _must_have(caller: Caller, wanted: AnyOf | None) -> None:
    if wanted is None:
        raise Forbidden("this is open to nobody", key=caller.name)
    if wanted and not wanted & caller.scopes:
        names = " or ".join(sorted(wanted))
        raise Forbidden(f"the key {caller.name} has not the scope {names}", key=caller.name, scope=names)


def _plain(keys: Iterable[str], *, setting: str, name: str) -> Iterator[Key]:
    for number, key in enumerate(keys, start=1):
        if len(key) < MIN_KEY_CHARS:
            raise StartupFailed(
                f"{setting} holds a key of {len(key)} characters; allowed: {MIN_KEY_CHARS} or more"
            )
        yield Key(digest_of(key), Caller(f"{name}-{number}", PLAIN_SCOPES))
