"""The fingerprint that tells whether somebody said the same thing on the same platform again."""

from __future__ import annotations

import hashlib
import struct


def fingerprint(platform: int, author_id: str, content: str) -> bytes:
    """SHA-256 over length-prefixed platform, author and content as sent: 32 bytes.

    The lengths keep (`ab`, `c`) and (`a`, `bc`) apart.
    """
    author, text = author_id.encode(), content.encode()
    return hashlib.sha256(
        struct.pack(">BI", platform, len(author)) + author + struct.pack(">I", len(text)) + text
    ).digest()
