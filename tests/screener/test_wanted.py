from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from seawall.screening.v1 import screening_pb2, verdict_pb2

from pipeline.event import Platform
from pipeline.position import Position
from pipeline.verdict import Category, Route
from screener.wanted import Wanted, read_request

scores = st.floats(0, 1)
verdicts = st.builds(
    verdict_pb2.Verdict,
    category=st.sampled_from([int(c) for c in Category if c]),
    platform=st.sampled_from([int(p) for p in Platform if p]),
    route=st.sampled_from([int(r) for r in Route if r]),
    risk_score=scores,
)


@given(verdicts)
def test_an_empty_filter_lets_everything_through(verdict: verdict_pb2.Verdict) -> None:
    assert Wanted().lets_through(verdict)


@given(verdicts, verdicts, scores)
def test_every_part_has_to_let_a_verdict_through(
    verdict: verdict_pb2.Verdict, like: verdict_pb2.Verdict, least: float
) -> None:
    parts = (
        Wanted(categories=frozenset({like.category})),
        Wanted(platforms=frozenset({like.platform})),
        Wanted(route=like.route),
        Wanted(min_risk_score=least),
    )
    all_of_them = Wanted(frozenset({like.category}), frozenset({like.platform}), like.route, least)
    assert all_of_them.lets_through(verdict) == all(part.lets_through(verdict) for part in parts)
    assert [part.lets_through(verdict) for part in parts] == [
        verdict.category == like.category,
        verdict.platform == like.platform,
        verdict.route == like.route,
        verdict.risk_score >= least,
    ]


def test_a_request_is_read() -> None:
    request = screening_pb2.WatchVerdictsRequest(
        categories=[2, 3, 2],  # type: ignore[list-item]
        platforms=[1],  # type: ignore[list-item]
        route=1,  # type: ignore[arg-type]
        min_risk_score=0.5,
        position="1-2_3-4",
    )
    assert read_request(request) == (
        Wanted(frozenset({2, 3}), frozenset({1}), 1, 0.5),
        Position("1-2", "3-4"),
    )
    assert read_request(screening_pb2.WatchVerdictsRequest()) == (Wanted(), None)
