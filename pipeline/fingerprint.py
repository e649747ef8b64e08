"""Keyed digests of what people said and of who they are: the only trace of either in a key or an index.

Without the deployment's secret nobody can try whether a known person said a known sentence, not even with a
copy of Redis. Each purpose has a key of its own, so that digests of one are worth nothing for another.
"""

from __future__ import annotations

import hmac
import struct

from pipeline.errors import StartupFailed

MIN_SECRET_CHARS = 32
_AUTHOR_BYTES, _TEXT_BYTES = 8, 16


class Digests:
    """HMAC-SHA-256 with a secret that all services of a deployment share. Pure; a microsecond each."""

    def __init__(self, secret: str) -> None:
        """Takes the deployment's secret.

        Raises:
            StartupFailed: it is too short to be one.
        """
        if len(secret) < MIN_SECRET_CHARS:
            told = f"holds {len(secret)} characters" if secret else "is empty"
            raise StartupFailed(
                f"DEDUP_SECRET {told}; allowed: {MIN_SECRET_CHARS} or more, the same for every service"
            )
        self._fingerprint, self._author, self._text, self._model_input = (
            hmac.digest(secret.encode(), purpose, "sha256")
            for purpose in (b"fingerprint", b"author", b"text", b"model input")
        )

    def fingerprint(self, platform: int, author_id: str, content: str) -> bytes:
        """32 bytes over length-prefixed platform, author and content as sent: whether it was said before.

        The lengths keep (`ab`, `c`) and (`a`, `bc`) apart.
        """
        author, text = author_id.encode(), content.encode()
        head = struct.pack(">BI", platform, len(author))
        return hmac.digest(self._fingerprint, head + author + struct.pack(">I", len(text)) + text, "sha256")

    def author(self, platform: int, author_id: str) -> bytes:
        """8 bytes that tell authors apart."""
        return hmac.digest(self._author, f"{platform}\0{author_id}".encode(), "sha256")[:_AUTHOR_BYTES]

    def text(self, content: str) -> bytes:
        """16 bytes that tell texts apart, up to case and white space."""
        plain = " ".join(content.casefold().split()).encode()
        return hmac.digest(self._text, plain, "sha256")[:_TEXT_BYTES]

    def model_input(self, data: bytes) -> bytes:
        """32 bytes that tell inputs of the model apart."""
        return hmac.digest(self._model_input, data, "sha256")
