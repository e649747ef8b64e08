from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.errors import FileUnreadable
from scripts.rows.feed import feed


async def test_keeps_the_order_in_chunks() -> None:
    assert [list(chunk) async for chunk in feed(iter(range(7)), chunk=3)] == [[0, 1, 2], [3, 4, 5], [6]]


async def test_an_error_comes_after_the_rows_before_it() -> None:
    def rows() -> Iterator[int]:
        yield 1
        raise FileUnreadable("broken")

    chunks = feed(rows(), chunk=1)
    assert await anext(chunks) == [1]
    with pytest.raises(FileUnreadable, match="broken"):
        await anext(chunks)
