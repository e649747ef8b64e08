from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InvalidRequest
from pipeline.position import Position, order

numbers = st.integers(0, 2**64 - 1)
ids = st.builds("{}-{}".format, numbers, numbers)


@given(ids, ids)
def test_what_was_written_is_read(reasoning_queue: str, low_risk: str) -> None:
    position = Position(reasoning_queue, low_risk)
    assert Position.decode(position.encode()) == position


@pytest.mark.parametrize(
    "text",
    [
        "",
        "$",
        "1-0",
        "1-0_",
        "1-0_2-0_3-0",
        "1-0_2-0 ",
        "1_2",
        "-1-0_2-0",
        "1-0_2-x",
        "1-٣_2-0",
        f"{2**64}-0_1-0",
        f"1-0_1-{2**64}",
        "9" * 1_000,
    ],
)
def test_anything_else_is_a_bad_field(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Position.decode(text)
    assert [violation.field for violation in refused.value.violations] == ["position"]


@given(st.text(max_size=60))
def test_no_text_is_read_as_two_positions(text: str) -> None:
    try:
        position = Position.decode(text)
    except InvalidRequest:
        return
    assert position.encode() == text


def test_ids_are_ordered_as_numbers() -> None:
    assert sorted(["10-0", "9-10", "9-9", "0-0"], key=order) == ["0-0", "9-9", "9-10", "10-0"]
