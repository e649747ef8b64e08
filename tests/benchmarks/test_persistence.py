"""The benchmark of persistence measures what it says, briefly."""

from __future__ import annotations

from pathlib import Path

from benchmarks.persistence import POLICIES, Effort, run


def test_both_policies_are_measured_and_lose_nothing_to_a_kill(tmp_path: Path) -> None:
    figures = run(Effort(rounds=1, events=1_000, per_second=50, seconds=1), tmp_path)
    assert set(figures.admission) == set(POLICIES)
    for policy in POLICIES:
        assert all(series.median > 0 for series in figures.admission[policy].values())
        assert figures.accepted_before_kill[policy] >= 1_000
        assert figures.lost_to_kill[policy] == 0  # the kernel has what Redis has written
