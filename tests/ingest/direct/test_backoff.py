from __future__ import annotations

from ingest.direct.backoff import Backoff


def test_waits_double_up_to_a_bound_and_are_partly_random() -> None:
    backoff = Backoff()
    for most in (0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0):
        assert most / 2 <= backoff.wait_s() <= most


def test_waits_differ() -> None:
    assert len({Backoff().wait_s() for _ in range(20)}) > 1


def test_a_stream_that_has_worked_begins_anew() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.wait_s()
    backoff.reset()
    assert backoff.wait_s() <= 0.1
