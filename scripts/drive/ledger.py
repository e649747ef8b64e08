"""`Ledger`: what became of every event of a run.

Knows no network and no clock: times are arguments, in seconds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

from pipeline.verdict import Category, Route


class Answer(Enum):
    """The last word of ingest on one sending of an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(slots=True)
class _Account:
    sent_at: float
    accepted: bool = False
    verdicts: int = 0
    verdict_at: float = 0.0
    dead_letters: int = 0


@dataclass(slots=True)
class Counts:
    """Plain sums of a run."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    categories: Counter[Category] = field(default_factory=Counter)
    routes: Counter[Route] = field(default_factory=Counter)


class Ledger:
    """Accounts by event id.

    A verdict may be seen before the answer to its event. Verdicts of events that this run did not send, left
    over in a Redis that keeps its data, are no concern of it.
    """

    def __init__(self) -> None:
        self.counts = Counts()
        self._accounts: dict[str, _Account] = {}
        self.steps = 0  # grows with everything that happens after a sending
        self._open = 0  # sendings without an answer, and accepted events without verdict or dead letter

    @property
    def open(self) -> int:
        """How many things are still to come: answers to sendings, verdicts of accepted events."""
        return self._open

    def sent(self, event_id: str, at: float) -> None:
        """An event is sent; the first time counts for its latency."""
        self._accounts.setdefault(event_id, _Account(at))
        self._open += 1

    def answered(
        self, event_id: str, answer: Answer, *, duplicate_of: str = "", repeated: bool = False
    ) -> None:
        """Ingest has answered a sending.

        `repeated` says that the answer to an earlier try of this sending was lost. Then a duplicate of itself
        is the event that the earlier try brought in, unless another sending of it is known to have done that.
        """
        self.steps += 1
        account = self._accounts[event_id]
        self._open -= 1
        if answer is Answer.DUPLICATE and repeated and duplicate_of == event_id and not account.accepted:
            answer = Answer.ACCEPTED
        if answer is Answer.ACCEPTED:
            self.counts.accepted += 1
            account.accepted = True
            if not account.verdicts and not account.dead_letters:
                self._open += 1
        elif answer is Answer.DUPLICATE:
            self.counts.duplicates += 1
        else:
            self.counts.rejected += 1

    def unreadable(self) -> None:
        """A row of the file was no event: rejected before it was sent."""
        self.counts.rejected += 1

    def verdict(self, event_id: str, *, category: Category, route: Route, at: float) -> float | None:
        """A verdict is in a stream; answers with its latency, None where the event is not of this run."""
        account = self._accounts.get(event_id)
        if account is None:
            return None
        self.steps += 1
        account.verdicts += 1
        if account.verdicts == 1:
            account.verdict_at = at
            self.counts.categories[category] += 1
            self.counts.routes[route] += 1
            if account.accepted and not account.dead_letters:
                self._open -= 1
        return at - account.sent_at

    def dead_letter(self, event_id: str) -> None:
        """A dead letter is in its stream."""
        account = self._accounts.get(event_id)
        if account is None:
            return
        self.steps += 1
        account.dead_letters += 1
        if account.dead_letters == 1 and account.accepted and not account.verdicts:
            self._open -= 1

    @property
    def verdicts(self) -> int:
        """Accepted events that have their verdict."""
        return sum(a.accepted and a.verdicts > 0 for a in self._accounts.values())

    @property
    def dead_letters(self) -> int:
        """Accepted events that were dead-lettered."""
        return sum(a.accepted and a.dead_letters > 0 for a in self._accounts.values())

    @property
    def lost(self) -> int:
        """Accepted events with neither verdict nor dead letter."""
        return sum(a.accepted and not a.verdicts and not a.dead_letters for a in self._accounts.values())

    @property
    def doubled(self) -> int:
        """Verdicts and dead letters of accepted events beyond the one that each is to have."""
        return sum(max(0, a.verdicts + a.dead_letters - 1) for a in self._accounts.values() if a.accepted)

    @property
    def latencies_s(self) -> list[float]:
        """From sending to verdict, for each accepted event that has one."""
        return [a.verdict_at - a.sent_at for a in self._accounts.values() if a.accepted and a.verdicts]

    @property
    def span_s(self) -> float:
        """From the first sending to the last verdict; 0 without a verdict."""
        ends = [a.verdict_at for a in self._accounts.values() if a.verdicts]
        return max(ends) - min(a.sent_at for a in self._accounts.values()) if ends else 0.0
