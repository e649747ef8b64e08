"""Results of benchmarks: ratios, what is reached, JSON and back, and two runs compared."""

from __future__ import annotations

import pytest

from benchmarks.compare import changes
from benchmarks.result import Line, Result, Wanted
from benchmarks.turns import Series


def _line(*ours: float, limit: tuple[float, ...] | None = None, wanted: tuple[Wanted, ...] = ()) -> Line:
    return Line("events/s", Series(ours), Series(limit) if limit else None, "a no-op", wanted)


def test_a_ratio_is_taken_round_by_round() -> None:
    """A round in which the machine was slow was slow for both."""
    ratio = _line(80, 40, limit=(100, 50)).ratio
    assert ratio is not None
    assert ratio.values == (0.8, 0.8)


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        (Wanted(least=60), True),
        (Wanted(least=61), False),
        (Wanted(most=60), True),
        (Wanted(most=59), False),
        (Wanted(least=0.6, of_ratio=True), True),
        (Wanted(least=0.7, of_ratio=True), False),
    ],
)
def test_the_median_has_to_reach_what_is_wanted(wanted: Wanted, *, reached: bool) -> None:
    """Of the figure, or of its ratio to the limit."""
    assert wanted.reached(_line(50, 60, 90, limit=(100, 100, 100))) is reached


def test_a_result_is_read_as_it_was_written() -> None:
    """JSON keeps every round."""
    result = Result("x", (_line(1, 2, limit=(3, 4), wanted=(Wanted(most=5),)), _line(6, 7)), {"MB": 8.5})
    assert Result.decode(result.encode()) == result


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"benchmark":"x","lines":[{}],"details":{}}'])
def test_another_file_is_no_result(content: bytes) -> None:
    """One error, whatever the file is."""
    with pytest.raises(ValueError, match="not a result"):
        Result.decode(content)


def test_a_change_is_clear_when_the_rounds_do_not_overlap() -> None:
    """What both have is compared, ratios too."""
    before = Result("x", (_line(10, 12, limit=(20, 24)), Line("gone", Series((1,)))))
    after = Result("x", (_line(13, 15, limit=(26, 20)),))
    found = {change.figure: change for change in changes(before, after)}
    assert set(found) == {"events/s", "events/s, to a no-op"}
    assert found["events/s"].clear
    assert found["events/s"].factor == pytest.approx(14 / 11)
    assert not found["events/s, to a no-op"].clear
