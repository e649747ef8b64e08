"""Every name of the suite is a benchmark, and a command."""

from __future__ import annotations

import inspect

import pytest

from benchmarks.suite import SUITE, measure_of
from scripts.cli import execute


@pytest.mark.parametrize("name", SUITE)
def test_a_name_is_that_of_a_module_that_measures(name: str) -> None:
    measure = measure_of(name)
    assert inspect.iscoroutinefunction(measure)
    assert list(inspect.signature(measure).parameters) == ["effort"]


def test_each_is_told_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["bench", "--help"]) == 0
    shown = capsys.readouterr().out
    assert not [name for name, about in SUITE.items() if name not in shown or not about.endswith(".")]
