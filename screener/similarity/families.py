"""`Families`: the families of one index, by their names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from screener.similarity.family import Family, FamilyState, Member, Standing, largest
from screener.similarity.seen import Seen


class Families:
    """Every family that some text of the index belongs to; what happens depends on the stream alone."""

    def __init__(self, *, window_ms: int) -> None:
        """`window_ms`: how soon an event must follow the last one of a family to belong to it."""
        self._window_ms = window_ms
        # Under its own name, and under those of families that became part of it while texts know them by it.
        self._by_name: dict[str, Family] = {}
        self._texts: Counter[str] = Counter()

    def __getitem__(self, name: str) -> Family:
        """The family that a text belongs to, by the name that `join` gave, whatever it is called now."""
        return self._by_name[name]

    def join(self, seen: Seen, *, text_in: str | None) -> str:
        """Counts an event in its family; answers with the family's name.

        Args:
            seen: the event; where it names several families, they become one.
            text_in: the family that its text belongs to already, which it leaves for the one that it joins.
        """
        named = seen.said.families
        families = {family.name: family for family in map(self._known, named)} if named else {}
        if text_in is not None and (held := self[text_in]).lasts(seen.seen_at_ms, self._window_ms):
            families[held.name] = held  # two screeners judged the same text at once
        family = self._united(list(families.values())) if families else self._new(seen)
        family.add(Member(seen.seen_at_ms, seen.author, seen.text, seen.pushes))
        family.campaign |= seen.said.campaign
        family.texts += 1
        self._texts[family.name] += 1
        if text_in is not None:
            self.leave(text_in)
        return family.name

    def leave(self, name: str) -> None:
        """Takes one text out; a family without any is forgotten."""
        family = self._by_name[name]
        family.texts -= 1
        self._texts[name] -= 1
        if not self._texts[name] and name != family.name:
            del self._by_name[name], self._texts[name]
            family.names = tuple(known_as for known_as in family.names if known_as != name)
        if not family.texts:
            del self._by_name[family.name], self._texts[family.name]

    def forget(self, author: bytes) -> None:
        """Forgets that an author, by digest, was in any; how many events and texts there were stays."""
        for family in self._by_name.values():
            family.forget(author)

    def capture(self) -> tuple[FamilyState, ...]:
        """Each as it is now."""
        return tuple(family.state() for name, family in self._by_name.items() if name == family.name)

    def restore(self, states: Sequence[FamilyState], family_of_texts: Iterable[str]) -> None:
        """Becomes what `capture` saw; `family_of_texts`: the family's name for each text of the index."""
        self._texts = Counter(family_of_texts)
        for state in states:
            family = Family.restored(state, texts=sum(self._texts[name] for name in state.names))
            self._by_name.update(dict.fromkeys(state.names, family))

    def _known(self, standing: Standing) -> Family:
        family = self._by_name.get(standing.name)
        if family is None:
            family = self._by_name[standing.name] = Family.known_as(standing)
        return family

    def _united(self, families: list[Family]) -> Family:
        winner = largest(families)
        for family in families:
            if family is not winner:
                winner.absorb(family)
                for name in family.names:
                    self._rename(name, winner)
        return winner

    def _rename(self, name: str, family: Family) -> None:
        if self._texts[name]:
            self._by_name[name] = family
            family.names += (name,)
        else:
            del self._by_name[name]
            self._texts.pop(name, None)

    def _new(self, seen: Seen) -> Family:
        name = seen.event_id
        while name in self._by_name:  # a client may give an id again, hours later
            name += "+"
        family = Family(name, seen.event_id, seen.seen_at_ms, events=0, names=(name,))
        self._by_name[name] = family
        return family
