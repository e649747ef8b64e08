"""How matches become a score, flags and evidence; what the context adds."""

from __future__ import annotations

import time
from math import prod

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.verdict import HARMFUL, Category
from screener.heuristics import Context, Heuristics, Rules

HEURISTICS = Heuristics(Rules.load())
KNOWN = ["idiot", "moron", "faggot", "asshole", "kys"]


def test_the_score_is_the_noisy_or_of_the_weights() -> None:
    result = HEURISTICS.score("YOU ARE A FUCKING IDIOT!!! http://files.example/x")
    assert {flag.rule for flag in result.flags} >= {"insult", "offensive_severe", "all_caps", "link"}
    assert result.score == pytest.approx(1.0 - prod(1.0 - flag.weight for flag in result.flags))


def test_a_rule_counts_once_but_tells_each_match() -> None:
    once = HEURISTICS.score("asshole")
    often = HEURISTICS.score("asshole, asshole and asshole")
    assert often.score == once.score
    assert [flag.weight > 0 for flag in often.flags] == [True, False, False]
    assert len(HEURISTICS.score("asshole, " * 500).flags) < 20


def test_flags_stand_in_order_of_start() -> None:
    flags = HEURISTICS.score("moron! see bit.ly/x you idiot @everyone").flags
    assert [flag.start for flag in flags] == sorted(flag.start for flag in flags)


def test_evidence_is_the_strongest_of_the_rules() -> None:
    evidence = HEURISTICS.score("I will kill you, you idiot").evidence
    rules = HEURISTICS.rules.rules
    wanted = [
        max(rules["death_threat"].evidence[i], rules["insult"].evidence[i]) for i in range(len(HARMFUL))
    ]
    assert list(evidence) == wanted
    assert evidence[HARMFUL.index(Category.VIOLENCE)] > 0.9


@pytest.mark.parametrize(
    ("context", "rule", "fires"),
    [
        (Context(author_reputation=0.1), "low_reputation", True),
        (Context(author_reputation=0.9), "low_reputation", False),
        (Context(author_reputation=None), "low_reputation", False),
        (Context(channel_history_count=0), "newcomer_solicits", True),
        (Context(channel_history_count=50), "newcomer_solicits", False),
        (Context(near_duplicates=3), "near_duplicate_flood", True),
        (Context(near_duplicates=2), "near_duplicate_flood", False),
        (Context(near_duplicates=10), "near_duplicate_wave", True),
        (Context(near_duplicates=9), "near_duplicate_wave", False),
    ],
)
def test_what_the_context_adds(context: Context, rule: str, fires: bool) -> None:
    text = HEURISTICS.score_text("come and join us at bit.ly/abc today")
    plain = HEURISTICS.with_context(text, Context())
    told = HEURISTICS.with_context(text, context)
    assert (rule in {flag.rule for flag in told.flags}) is fires
    assert (told.score > plain.score) is (len(told.flags) > len(plain.flags))


def test_nobody_is_suspected_for_a_common_short_text_or_for_being_new() -> None:
    context = Context(author_reputation=0.5, channel_history_count=0, near_duplicates=500)
    assert HEURISTICS.score("gg", context).flags == ()


def test_context_alone_never_routes() -> None:
    worst = Context(author_reputation=0.0, channel_history_count=0, near_duplicates=10_000)
    assert HEURISTICS.score("see you all at the game tomorrow", worst).score <= 0.7


@given(st.text(max_size=200), st.none() | st.floats(0, 1), st.integers(0, 50))
@example("", None, 0)
@example("@@@ !!! '' ** \ud83d", 0.1, 12)
def test_what_always_holds(content: str, reputation: float | None, copies: int) -> None:
    context = Context(author_reputation=reputation, near_duplicates=copies)
    result = HEURISTICS.score(content, context)
    assert 0.0 <= result.score <= 1.0
    assert len(result.evidence) == len(HARMFUL)
    assert all(0.0 <= value <= 1.0 for value in result.evidence)
    assert all(0 <= flag.start <= flag.end <= len(content) for flag in result.flags)
    assert result == HEURISTICS.with_context(HEURISTICS.score_text(content), context)


@given(
    st.sampled_from(KNOWN),
    st.text(alphabet="абв 123 ,.", max_size=20),
    st.lists(
        st.tuples(st.booleans(), st.sampled_from(["", "\u200b", "\u2060", "\u0301"])), min_size=8, max_size=8
    ),
)
def test_no_casing_and_no_invisible_character_hides_a_word(
    word: str, before: str, disguise: list[tuple[bool, str]]
) -> None:
    written = "".join(
        (letter.upper() if upper else letter) + (mark if place < len(word) - 1 else "")
        for place, (letter, (upper, mark)) in enumerate(zip(word, disguise, strict=False))
    )
    content = f"{before} ; {written} ; thanks"
    start = len(before) + 3
    flags = HEURISTICS.score(content).flags
    assert any(flag.category and flag.start <= start and flag.end >= start + len(written) for flag in flags)


@pytest.mark.parametrize(
    "piece",
    [
        "you are ",
        "i will kill ",
        "fuck you ",
        "<",
        "0 ",
        "1",
        "a.com ",
        "!?",
        "@a ",
        "😀",
        "a\u0301\u0302\u0303",
        "$5 win ",
        '"',
        'you idiot "',
        "🔪 you ",
    ],
)
def test_no_text_of_ten_thousand_characters_takes_long(piece: str) -> None:
    content = (piece * 10_000)[:10_000]

    def seconds() -> float:
        started = time.process_time()
        HEURISTICS.score(content)
        return time.process_time() - started

    assert min(seconds() for _ in range(3)) < 0.4  # 0.002 to 0.03 where nothing else runs
