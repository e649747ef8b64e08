from __future__ import annotations

import pytest

from pipeline.errors import Violation
from pipeline.wire import batch_violation, violations_to_proto


@pytest.mark.parametrize(("size", "good"), [(0, False), (1, True), (500, True), (501, False)])
def test_a_batch_has_1_to_500_events(size: int, good: bool) -> None:
    violation = batch_violation(size, 500)
    expected = None if good else Violation("events", f"has {size} events", "1 to 500 events")
    assert violation == expected


def test_violations_keep_field_problem_and_what_is_allowed() -> None:
    [message] = violations_to_proto([Violation("content", "is missing", "text")])
    assert (message.field, message.problem, message.allowed) == ("content", "is missing", "text")
