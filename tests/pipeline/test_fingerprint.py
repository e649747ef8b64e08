from __future__ import annotations

import hashlib

from pipeline.fingerprint import fingerprint


def test_is_sha_256_over_length_prefixed_parts() -> None:
    expected = hashlib.sha256(b"\x01" + b"\x00\x00\x00\x01a" + b"\x00\x00\x00\x02hi").digest()
    assert fingerprint(1, "a", "hi") == expected


def test_tells_apart_where_the_border_between_author_and_content_moves() -> None:
    assert fingerprint(1, "ab", "c") != fingerprint(1, "a", "bc")
