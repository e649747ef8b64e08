"""Opens an output by its name."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

STDOUT = "-"


@contextmanager
def open_sink(name: str) -> Iterator[BinaryIO]:
    """A file to write, gzip where the name ends in .gz, or standard output for `-`.

    The file takes its name when the block ends well: before that, and after an error, whatever had the name
    is untouched.
    """
    if name == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(name)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as raw:
            if target.suffix == ".gz":
                with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
                    yield cast(BinaryIO, packed)
            else:
                yield raw
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
