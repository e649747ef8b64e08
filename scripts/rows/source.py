"""Opens an input by its name, whatever it is packed in."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import BinaryIO, cast

from scripts.errors import FileUnreadable

STDIN = "-"
_GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def open_source(name: str) -> Iterator[BinaryIO]:
    """The bytes of file `name`, or of standard input for `-`; gzip, told by its first bytes, is unpacked.

    Raises:
        FileUnreadable: the file cannot be read, also later, while the block reads on.
    """
    shown = "standard input" if name == STDIN else name
    try:
        # Standard input gets a reader of its own: closing it, or a thread that waits in it at the end of the
        # program, must not touch sys.stdin.
        target: str | int = sys.stdin.fileno() if name == STDIN else name
        with io.open(target, "rb", closefd=name != STDIN) as raw:  # noqa: UP020  # beside gzip.open
            if raw.peek(2)[:2] == _GZIP_MAGIC:
                with gzip.open(raw) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileUnreadable(f"{shown} is broken gzip: make or fetch it again") from error
    except OSError as error:
        raise FileUnreadable(f"cannot read {shown}: {error.strerror or error}") from error


def require_readable(name: str) -> None:
    """Returns if `name` can be opened, so that a wrong name is told before anything is started for it.

    Raises:
        FileUnreadable: it cannot.
    """
    if name != STDIN:
        with open_source(name):
            pass


def count_lines(name: str, limit: int | None) -> int:
    """About how many rows file `name` has, `limit` at most, for a progress bar.

    Raises:
        FileUnreadable: the file cannot be read.
    """
    with open_source(name) as source:
        return sum(1 for _ in islice(source, limit))


def numbered_lines(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines that hold something, with their number from 1; a byte order mark is left out."""
    for number, line in enumerate(source, start=1):
        stripped = line.removeprefix(b"\xef\xbb\xbf").strip()
        if stripped:
            yield number, stripped
