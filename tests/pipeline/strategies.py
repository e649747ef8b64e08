"""Random events and verdicts that the wire can carry."""

from __future__ import annotations

from hypothesis import strategies as st

from pipeline.event import Event, EventMetadata
from pipeline.verdict import HARMFUL, Campaign, Category, Flag, Route, SimilarEvent, Timings, Verdict

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)  # lone surrogates cannot be sent
NUMBER = st.floats(allow_nan=False)
COUNT = st.integers(0, 2**32 - 1)
MILLISECONDS = st.integers(0, 4_000_000_000_000)

EVENTS = st.builds(
    Event,
    event_id=TEXT,
    event_type=st.integers(-(2**31), 2**31 - 1),
    platform=st.integers(-(2**31), 2**31 - 1),
    author_id=TEXT,
    content=TEXT,
    channel_id=TEXT,
    user_id=TEXT,
    created_at_ms=st.none() | MILLISECONDS,
    metadata=st.builds(
        EventMetadata,
        user_reputation=st.none() | NUMBER,
        author_reputation=st.none() | NUMBER,
        channel_history_count=st.none() | st.integers(-(2**63), 2**63 - 1),
        attributes=st.dictionaries(TEXT, TEXT, max_size=4),
    ),
)

VERDICTS = st.builds(
    Verdict,
    event_id=TEXT,
    platform=st.integers(0, 6),
    channel_id=TEXT,
    author_id=TEXT,
    risk_score=NUMBER,
    labels=st.lists(st.sampled_from(HARMFUL), max_size=3).map(tuple),
    category=st.sampled_from(Category),
    confidence=NUMBER,
    scores=st.tuples(*[NUMBER] * len(HARMFUL)),
    heuristic_score=NUMBER,
    model_score=NUMBER,
    flags=st.lists(
        st.builds(Flag, rule=TEXT, weight=NUMBER, start=COUNT, end=COUNT, category=st.sampled_from(Category)),
        max_size=3,
    ).map(tuple),
    similar_events=st.lists(
        st.builds(SimilarEvent, event_id=TEXT, cosine=NUMBER, category=st.sampled_from(Category)), max_size=3
    ).map(tuple),
    campaign=st.none()
    | st.builds(
        Campaign,
        campaign_id=TEXT,
        size=COUNT,
        authors=COUNT,
        first_event_id=TEXT,
        began_at_ms=MILLISECONDS,
    ),
    route=st.sampled_from(Route),
    model_name=TEXT,
    model_version=st.integers(0, 2**63 - 1),
    cache_hit=st.booleans(),
    degraded=st.booleans(),
    screened_at_ms=MILLISECONDS,
    timings=st.builds(Timings, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER),
)
