from __future__ import annotations

import pytest

from screener.trace import trace_of

SECRET = "what somebody said"


def fails(text: str) -> None:
    raise ValueError(text)


def wraps(text: str) -> None:
    try:
        fails(text)
    except ValueError as error:
        raise RuntimeError(text) from error


def hides(text: str) -> None:
    try:
        fails(text)
    except ValueError:
        raise KeyError(text) from None


def digs(depth: int) -> None:
    if depth == 0:
        raise ValueError
    digs(depth - 1)


def trace_from(function: object, argument: object) -> tuple[str, ...]:
    assert callable(function)
    with pytest.raises(Exception) as caught:  # noqa: PT011  # any
        function(argument)
    return trace_of(caught.value)


def test_says_what_and_where_and_from_what() -> None:
    trace = trace_from(wraps, SECRET)
    kinds = [line for line in trace if not line.startswith(" ")]
    assert kinds == ["RuntimeError", "ValueError"]
    places = [line.split()[-1] for line in trace if line.startswith(" ")]
    assert places[:2] == ["wraps", "trace_from"]
    assert places[2:] == ["fails", "wraps"]
    assert f"{__name__}:{fails.__code__.co_firstlineno + 1} fails" in trace[4]


def test_quotes_nothing() -> None:
    assert SECRET not in "".join(trace_from(wraps, SECRET))


def test_a_cause_that_was_left_out_stays_out() -> None:
    assert [line for line in trace_from(hides, SECRET) if not line.startswith(" ")] == ["KeyError"]


def test_a_deep_one_is_cut_to_its_innermost_places() -> None:
    trace = trace_from(digs, 500)
    assert len(trace) == 13
    assert trace[1].endswith(" digs")


def test_an_error_that_was_never_raised_has_its_type() -> None:
    assert trace_of(ValueError(SECRET)) == ("ValueError",)
