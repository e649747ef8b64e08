"""API keys: who may call."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from pipeline.errors import StartupFailed, Unauthenticated

METADATA_KEYS = ("api-key", "x-api-key")
"""Where a call carries its key."""

MIN_KEY_CHARS = 16


class ApiKeys:
    """The keys in force, several at once so that they can be rotated; only their hashes are kept."""

    def __init__(self, keys: Iterable[str], *, setting: str = "API_KEYS") -> None:
        """Takes the keys, and the setting that they are from, for the messages.

        Raises:
            StartupFailed: there is no key, or one is too short to be secret. No key never means no check.
        """
        self._digests = tuple(_digest(key) for key in keys if _must_be_long(key, setting))
        if not self._digests:
            raise StartupFailed(
                f"{setting} is empty; allowed: one or more keys of at least {MIN_KEY_CHARS} characters"
            )

    def check(self, metadata: Iterable[tuple[str, str | bytes]]) -> None:
        """Passes a call that carries a key in force.

        Raises:
            Unauthenticated: it carries none, or a wrong one.
        """
        for name, value in metadata:
            if name in METADATA_KEYS:
                if self._holds(value):
                    return
                raise Unauthenticated(f"the key in the {name} metadata is not valid")
        raise Unauthenticated("no key: send one in the api-key or x-api-key metadata")

    def _holds(self, key: str | bytes) -> bool:
        digest = _digest(key)
        # Every key is compared, whole and in constant time, so that time tells nothing about which matched.
        return sum(hmac.compare_digest(digest, known) for known in self._digests) > 0


def _digest(key: str | bytes) -> bytes:
    return hashlib.sha256(key.encode() if isinstance(key, str) else key).digest()


def _must_be_long(key: str, setting: str) -> bool:
    if len(key) < MIN_KEY_CHARS:
        raise StartupFailed(
            f"{setting} holds a key of {len(key)} characters; allowed: {MIN_KEY_CHARS} or more"
        )
    return True
