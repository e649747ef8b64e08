"""What is found out about a text by itself, once for all who say it."""

from __future__ import annotations

from screener.heuristics import Heuristics
from screener.similarity.informative import informative_words
from screener.text_facts import TextFacts, TextReader, plain_text
from tests.fixtures.digests import DIGESTS
from tests.fixtures.screening import HEURISTICS

TEXT = "you are such an 1d1ot, go to www.example.com and see"


def read(reader: TextReader, text: str, rules: Heuristics = HEURISTICS, now_ms: int = 0) -> TextFacts:
    begun = reader.begin([text], rules, now_ms=now_ms)
    [facts] = reader.finish([text], begun, rules)
    assert plain_text(begun[0]) == facts.plain
    return facts


def test_says_what_the_rules_say() -> None:
    facts = read(TextReader(DIGESTS), TEXT)
    assert facts.plain == HEURISTICS.reveal(TEXT).text
    assert facts.score == HEURISTICS.score_text(TEXT)
    assert facts.alone == HEURISTICS.score(TEXT)
    assert (facts.digest, facts.informative) == (DIGESTS.text(TEXT), informative_words(TEXT))


def test_reads_an_equal_text_once() -> None:
    reader = TextReader(DIGESTS)
    assert read(reader, TEXT) is read(reader, TEXT, now_ms=10_000)


def test_new_rules_read_anew() -> None:
    reader, others = TextReader(DIGESTS), Heuristics(HEURISTICS.rules)
    first = read(reader, TEXT)
    second = read(reader, TEXT, others)
    assert second is not first
    assert read(reader, TEXT) is not second


def test_rules_that_change_under_way_leave_nothing_behind() -> None:
    reader, others = TextReader(DIGESTS), Heuristics(HEURISTICS.rules)
    begun = reader.begin([TEXT], HEURISTICS, now_ms=0)
    of_others = read(reader, "another text", others)
    [facts] = reader.finish([TEXT], begun, HEURISTICS)
    assert read(reader, TEXT, others) is not facts
    assert read(reader, "another text", others) is of_others
