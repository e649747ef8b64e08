"""What the core gives to the encoder, and what it tells of the original."""

from __future__ import annotations

from tests.fixtures.events import MakeEvent
from tests.fixtures.model import ModelInMemory
from tests.fixtures.screening import a_core


async def test_the_model_reads_plain_writing_and_flags_point_into_the_original(make_event: MakeEvent) -> None:
    model = ModelInMemory()
    event = make_event(content="Oh look, you are an 1\u200bd1ot!")
    [screened] = await a_core(model).screen([event], timeout_s=5)
    assert model.asked == [["Oh look, you are an idiot!"]]
    [flag] = [flag for flag in screened.verdict.flags if flag.rule == "disguised_word"]
    assert event.content[flag.start : flag.end] == "1\u200bd1ot"


async def test_what_is_not_disguised_reaches_the_model_as_it_was_sent(make_event: MakeEvent) -> None:
    model = ModelInMemory()
    content = "GG everyone :) see https://example.com/1d1ot, José & Łukasz won 2:1!"
    await a_core(model).screen([make_event(content=content)], timeout_s=5)
    assert model.asked == [[content]]


async def test_one_disguise_among_others_gets_a_verdict_of_its_own(make_event: MakeEvent) -> None:
    contents = ["you idiot", "you 1d1ot", "you idiot"]
    events = [make_event(event_id=f"event-{i}", content=content) for i, content in enumerate(contents)]
    screened = await a_core(ModelInMemory()).screen(events, timeout_s=5)
    assert [result.verdict.event_id for result in screened] == [event.event_id for event in events]
    rules = [{flag.rule for flag in result.verdict.flags} for result in screened]
    assert ["disguised_word" in found for found in rules] == [False, True, False]
