"""Families: texts that say nearly the same and follow each other in time. A campaign is such a family.

To which families an event belongs is found out once, by the screener that judges it, and travels with its
vector. So every index that reads the stream holds the same families under the same names, without searching
again, and a name outlives the event that it was taken from.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

MOST_RECENT = 64
"""Members that a family remembers one by one, the newest: enough to tell a campaign."""

MOST_AUTHORS = 1_000
"""Authors of a family that are told apart, about; further ones are not counted."""


class Member(NamedTuple):
    """One event of a family.

    Attributes:
        at_ms: when it was screened, ms since the epoch.
        author: digest of its author.
        text: digest of its text.
        pushes: whether it draws its readers somewhere, or is harmful.
    """

    at_ms: int
    author: bytes
    text: bytes
    pushes: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What a family was when somebody looked: enough for an index that has not seen its beginning.

    Attributes:
        name: its name, the id of one of its first events.
        first_event_id: its first event.
        began_ms: when that was screened, ms since the epoch.
        events: its events so far.
        authors: how many different authors they have.
    """

    name: str
    first_event_id: str
    began_ms: int
    events: int
    authors: int


class FamilyState(NamedTuple):
    """A `Family` at one moment; the fields are its, `texts` apart, which the index knows."""

    name: str
    first_event_id: str
    began_ms: int
    events: int
    last_ms: int
    recent: tuple[Member, ...]
    campaign: bool
    names: tuple[str, ...]
    earlier_authors: frozenset[bytes]
    uncounted: int


@dataclass(slots=True, eq=False)
class Family:
    """One family in one index. `Families` alone changes it.

    Attributes:
        name, first_event_id, began_ms, events: as in `Standing`.
        last_ms: when the last event was screened, ms since the epoch.
        recent: the newest members, oldest first.
        campaign: whether a verdict has called it one.
        names: its own, and those by which texts of families know it that became part of it.
        texts: how many texts of the index belong to it.
        earlier_authors: of members that are no longer in `recent`.
        uncounted: authors that another index counted before this one saw the family.
    """

    name: str
    first_event_id: str
    began_ms: int
    events: int
    last_ms: int = 0
    recent: tuple[Member, ...] = ()
    campaign: bool = False
    names: tuple[str, ...] = ()
    texts: int = 0
    earlier_authors: Set[bytes] = frozenset()
    uncounted: int = 0
    _authors: set[bytes] | None = None  # what `authors` found; None where that may have changed

    @classmethod
    def known_as(cls, standing: Standing) -> Family:
        """The family as another index knew it."""
        return cls(
            standing.name,
            standing.first_event_id,
            standing.began_ms,
            standing.events,
            names=(standing.name,),
            uncounted=standing.authors,
        )

    @classmethod
    def restored(cls, state: FamilyState, *, texts: int) -> Family:
        """The family as `state` has it."""
        return cls(**state._asdict(), texts=texts)

    def state(self) -> FamilyState:
        """What it is now."""
        return FamilyState(
            self.name,
            self.first_event_id,
            self.began_ms,
            self.events,
            self.last_ms,
            self.recent,
            self.campaign,
            self.names,
            frozenset(self.earlier_authors),
            self.uncounted,
        )

    def lasts(self, at_ms: int, window_ms: int) -> bool:
        """Whether its last event is recent enough for another to follow."""
        return at_ms - self.last_ms <= window_ms

    def authors(self) -> Set[bytes]:
        """Digests of its authors, as far as they are told apart."""
        if self._authors is None:
            self._authors = {*self.earlier_authors, *(member.author for member in self.recent)}
        return self._authors

    def standing(self) -> Standing:
        """What it is now."""
        authors = max(len(self.authors()), self.uncounted)
        return Standing(self.name, self.first_event_id, self.began_ms, self.events, authors)

    def add(self, member: Member) -> None:
        """Counts one more event."""
        self.events += 1
        self.last_ms = max(self.last_ms, member.at_ms)
        if self._authors is not None:
            self._authors.add(member.author)
        self._remember((*self.recent, member))

    def absorb(self, other: Family) -> None:
        """Takes another's members over: an event was near both."""
        if other.began_ms < self.began_ms:
            self.first_event_id, self.began_ms = other.first_event_id, other.began_ms
        self.events += other.events
        self.last_ms = max(self.last_ms, other.last_ms)
        self.campaign |= other.campaign
        self.texts += other.texts
        self.uncounted = max(self.uncounted, other.uncounted)
        self.earlier_authors = {*self.earlier_authors, *other.earlier_authors}
        self._authors = None
        self._remember(tuple(sorted(self.recent + other.recent)))

    def forget(self, author: bytes) -> None:
        """Forgets that an author was in it; its counts stay."""
        if author in self.earlier_authors or any(member.author == author for member in self.recent):
            self.recent = tuple(member for member in self.recent if member.author != author)
            self.earlier_authors = self.earlier_authors - {author}
            self._authors = None

    def _remember(self, members: tuple[Member, ...]) -> None:
        gone, self.recent = members[:-MOST_RECENT], members[-MOST_RECENT:]
        if not gone:
            return
        left = {member.author for member in gone}
        if len(self.earlier_authors) < MOST_AUTHORS:
            # In place from the first on: of a flood each event brings one.
            if not isinstance(self.earlier_authors, set):
                self.earlier_authors = set(self.earlier_authors)
            self.earlier_authors |= left
        elif self._authors is not None and (left := left - self.earlier_authors):
            self._authors -= left.difference(member.author for member in self.recent)


def united(families: Sequence[Family]) -> Standing:
    """One or more families as one: under the name of the largest, from the beginning of the first."""
    if len(families) == 1:
        return families[0].standing()
    first = min(families, key=lambda family: (family.began_ms, family.first_event_id))
    authors = frozenset[bytes]().union(*(family.authors() for family in families))
    return Standing(
        name=largest(families).name,
        first_event_id=first.first_event_id,
        began_ms=first.began_ms,
        events=sum(family.events for family in families),
        authors=max(len(authors), *(family.uncounted for family in families)),
    )


def largest(families: Sequence[Family]) -> Family:
    """The one with most events; of equal ones the older, so that every index takes the same."""
    return min(families, key=lambda family: (-family.events, family.began_ms, family.name))
