from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.verdict import Category
from screener.model import EMBEDDING_WIDTH
from screener.similarity.families import Families
from screener.similarity.family import MOST_AUTHORS, MOST_RECENT, Family, Standing
from screener.similarity.seen import Said, Seen

VECTOR = np.zeros(EMBEDDING_WIDTH, np.float32)
WINDOW_MS = 60_000


def seen(
    i: int,
    *families: Standing,
    at_ms: int | None = None,
    author: int | None = None,
    text: str | None = None,
    event_id: str | None = None,
    campaign: bool = False,
    category: Category = Category.LOW_RISK,
) -> Seen:
    return Seen(
        event_id=event_id or f"e{i}",
        category=category,
        model_version=1,
        author=str(i if author is None else author).encode(),
        text=(text or f"text {i}").encode(),
        seen_at_ms=1_000 * i if at_ms is None else at_ms,
        vector=VECTOR,
        said=Said(informative=8, campaign=campaign, families=families),
    )


@dataclass
class Held:
    """Families, and the text that each event brought."""

    families: Families

    def add(self, event: Seen, *, text_in: str | None = None) -> Family:
        self.name = self.families.join(event, text_in=text_in)
        return self.families[self.name]


def held() -> Held:
    return Held(Families(window_ms=WINDOW_MS))


def test_an_event_near_nothing_begins_a_family_of_its_own() -> None:
    family = held().add(seen(1))
    assert family.standing() == Standing("e1", "e1", began_ms=1_000, events=1, authors=1)


def test_an_event_joins_the_family_that_it_was_found_near() -> None:
    all_of_them = held()
    first = all_of_them.add(seen(1))
    assert all_of_them.add(seen(2, first.standing(), category=Category.SPAM)) is first
    assert first.standing() == Standing("e1", "e1", began_ms=1_000, events=2, authors=2)
    assert [member.pushes for member in first.recent] == [False, True]
    assert first.last_ms == 2_000


def test_families_that_an_event_is_near_become_one_and_keep_the_name_of_the_largest() -> None:
    all_of_them = held()
    small = all_of_them.add(seen(1))
    large = all_of_them.add(seen(2))
    all_of_them.add(seen(3, large.standing()))
    joined = all_of_them.add(seen(4, small.standing(), large.standing()))
    assert joined.standing() == Standing("e2", "e1", began_ms=1_000, events=4, authors=4)
    assert [member.at_ms for member in joined.recent] == [1_000, 2_000, 3_000, 4_000]
    # Texts that came under the other name, and verdicts on the way with it, find the one that there is.
    assert all_of_them.families["e1"] is joined
    assert all_of_them.add(seen(5, small.standing())) is joined
    assert joined.events == 5


def test_a_campaign_stays_one_when_it_joins_another_family() -> None:
    all_of_them = held()
    campaign = all_of_them.add(seen(1, campaign=True))
    large = all_of_them.add(seen(2))
    all_of_them.add(seen(3, large.standing()))
    assert all_of_them.add(seen(4, campaign.standing(), large.standing())).campaign


def test_the_same_text_judged_twice_at_once_is_one_family() -> None:
    all_of_them = held()
    first = all_of_them.add(seen(1, text="same"))
    again = all_of_them.add(
        seen(2, text="same"), text_in="e1"
    )  # found near nothing, for both were on the way
    assert again is first
    assert first.standing().events == 2


def test_the_same_text_much_later_begins_anew() -> None:
    all_of_them = held()
    all_of_them.add(seen(1, text="same"))
    again = all_of_them.add(seen(2, text="same", at_ms=WINDOW_MS + 2_000), text_in="e1")
    assert again.standing() == Standing("e2", "e2", began_ms=WINDOW_MS + 2_000, events=1, authors=1)


def test_a_family_is_forgotten_with_its_last_text_and_its_name_outlives_the_first() -> None:
    all_of_them = held()
    first = all_of_them.add(seen(1))
    all_of_them.add(seen(2, first.standing()))
    all_of_them.families.leave("e1")
    assert all_of_them.add(seen(3, first.standing())) is first
    for _ in range(2):
        all_of_them.families.leave("e1")
    assert all_of_them.add(seen(4)).standing().events == 1
    assert all_of_them.add(seen(5, event_id="e1")).name == "e1"


def test_an_index_that_has_not_seen_the_beginning_takes_over_what_another_knew() -> None:
    known = Standing("e1", "e0", began_ms=500, events=40, authors=25)
    family = held().add(seen(41, known))
    assert family.standing() == Standing("e1", "e0", began_ms=500, events=41, authors=25)


def test_an_event_id_that_a_client_gives_again_takes_nobodys_name() -> None:
    all_of_them = held()
    all_of_them.add(seen(1))
    assert all_of_them.add(seen(2, event_id="e1")).standing() == Standing("e1+", "e1", 2_000, 1, 1)


def test_members_and_authors_are_bounded_and_events_are_not() -> None:
    all_of_them = held()
    family = all_of_them.add(seen(0))
    for i in range(1, 3_000):
        all_of_them.add(seen(i, family.standing()))
    assert len(family.recent) == MOST_RECENT
    assert family.recent[-1].at_ms == 2_999_000
    assert family.events == 3_000
    assert MOST_AUTHORS <= family.standing().authors <= MOST_AUTHORS + 2 * MOST_RECENT


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 80), st.booleans()), max_size=200))
def test_authors_are_those_of_members_whatever_was_asked_before(steps: list[tuple[int, bool]]) -> None:
    """Each step is an event by somebody, or forgets him."""
    all_of_them = held()
    family = all_of_them.add(seen(0))
    for i, (author, forgets) in enumerate(steps, start=1):
        if forgets:
            all_of_them.families.forget(str(author).encode())
        else:
            all_of_them.add(seen(i, family.standing(), author=author, at_ms=1_000))
        assert family.authors() == family.earlier_authors | {member.author for member in family.recent}


EVENTS = st.lists(st.tuples(st.integers(0, 5), st.sets(st.integers(0, 30), max_size=3)), max_size=40)


def replayed(events: Sequence[Seen], families: Families) -> list[str]:
    names: dict[bytes, str] = {}
    for event in events:
        names[event.text] = families.join(event, text_in=names.get(event.text))
    return [families[name].name for name in names.values()]


@settings(deadline=None)
@given(EVENTS)
def test_all_that_read_the_stream_agree_and_all_texts_find_their_family(
    steps: list[tuple[int, set[int]]],
) -> None:
    """One screener judges; `near` are earlier events of which its event is found near the families."""
    here = Families(window_ms=10**9)
    stream: list[Seen] = []
    names: list[str] = []
    text_in: dict[bytes, str] = {}
    for i, (text, near) in enumerate(steps):
        found = {family.name: family for at in near if at < len(names) for family in [here[names[at]]]}
        event = seen(i, *(f.standing() for f in found.values()), text=f"text {text}" if text else None)
        stream.append(event)
        text_in[event.text] = here.join(event, text_in=text_in.get(event.text))
        names = [text_in[earlier.text] for earlier in stream]
    there = Families(window_ms=10**9)
    assert replayed(stream, there) == [here[name].name for name in text_in.values()]
    for name in text_in.values():
        assert there[name].standing() == here[name].standing()
    families = {id(here[name]): here[name] for name in text_in.values()}
    assert sum(family.events for family in families.values()) == len(stream)
    for name in text_in.values():
        here.leave(name)
    assert replayed(stream, here) == replayed(stream, Families(window_ms=10**9))  # nothing was left behind
