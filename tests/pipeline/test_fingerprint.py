from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from pipeline.errors import StartupFailed
from pipeline.fingerprint import Digests
from tests.fixtures.digests import DIGESTS

OTHER = Digests("another secret of 32 characters or more")


def test_tells_apart_where_the_border_between_author_and_content_moves() -> None:
    assert DIGESTS.fingerprint(1, "ab", "c") != DIGESTS.fingerprint(1, "a", "bc")
    assert DIGESTS.author(1, "1a") != DIGESTS.author(11, "a")


def test_text_is_the_same_up_to_case_and_white_space() -> None:
    assert DIGESTS.text("Hello  World") == DIGESTS.text("hello\nworld") != DIGESTS.text("helloworld")


@pytest.mark.parametrize(
    ("digest", "unkeyed", "length"),
    [
        (lambda d: d.fingerprint(1, "a", "hi"), b"\x01\x00\x00\x00\x01a\x00\x00\x00\x02hi", 16),
        (lambda d: d.author(1, "a"), b"1\0a", 8),
        (lambda d: d.text("hi"), b"hi", 16),
        (lambda d: d.model_input(b"hi"), b"hi", 32),
    ],
)
def test_without_the_secret_no_digest_can_be_made(
    digest: Callable[[Digests], bytes], unkeyed: bytes, length: int
) -> None:
    made = digest(DIGESTS)
    assert len(made) == length
    assert made == digest(DIGESTS) != digest(OTHER)
    assert made != hashlib.sha256(unkeyed).digest()[:length]


def test_digests_of_two_purposes_never_meet() -> None:
    assert DIGESTS.model_input(b"hi")[:16] != DIGESTS.text("hi")


@pytest.mark.parametrize(("secret", "told"), [("", "is empty"), ("x" * 31, "holds 31 characters")])
def test_a_secret_that_is_none_ends_the_start(secret: str, told: str) -> None:
    with pytest.raises(StartupFailed, match=f"^DEDUP_SECRET {told}; allowed: 32 or more"):
        Digests(secret)
