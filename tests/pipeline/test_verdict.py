from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seawall.screening.v1 import verdict_pb2

from pipeline.errors import EntryUndecodable
from pipeline.verdict import HARMFUL, Category, Route, Verdict
from tests.pipeline.strategies import VERDICTS


@given(verdict=VERDICTS)
def test_decodes_what_it_encoded(verdict: Verdict) -> None:
    assert Verdict.decode(verdict.encode()) == verdict


@given(verdict=VERDICTS)
def test_the_time_in_the_queue_may_be_told_last(verdict: Verdict) -> None:
    told = Verdict.decode(verdict.encode(queue_ms=12.5))
    assert told == verdict._replace(timings=replace(verdict.timings, queue_ms=12.5))


@given(data=st.binary(max_size=200))
def test_bytes_that_are_no_verdict_raise_one_error_alone(data: bytes) -> None:
    with suppress(EntryUndecodable):
        Verdict.decode(data)


@given(verdict=VERDICTS, cut=st.integers(1, 20), junk=st.binary(max_size=5))
def test_a_broken_verdict_raises_one_error_alone(verdict: Verdict, cut: int, junk: bytes) -> None:
    with suppress(EntryUndecodable):
        Verdict.decode(verdict.encode()[:-cut] + junk)


@pytest.mark.parametrize(
    "message",
    [
        verdict_pb2.Verdict(category=99),  # type: ignore[arg-type]
        verdict_pb2.Verdict(route=99),  # type: ignore[arg-type]
        verdict_pb2.Verdict(labels=[99]),  # type: ignore[list-item]
        verdict_pb2.Verdict(flags=[verdict_pb2.Flag(category=99)]),  # type: ignore[arg-type]
    ],
)
def test_a_number_of_a_later_release_is_undecodable(message: verdict_pb2.Verdict) -> None:
    with pytest.raises(EntryUndecodable):
        Verdict.decode(message.SerializeToString())


def test_numbers_are_those_of_the_contract() -> None:
    assert {f"CATEGORY_{c.name}": int(c) for c in Category} == dict(verdict_pb2.Category.items())
    assert {f"ROUTE_{r.name}": int(r) for r in Route} == dict(verdict_pb2.Route.items())


def test_scores_have_a_field_for_each_harmful_category() -> None:
    fields = [field.name for field in verdict_pb2.CategoryScores.DESCRIPTOR.fields]
    assert fields == [category.name.lower() for category in HARMFUL]
