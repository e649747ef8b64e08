"""`Ledger`: what ingest has told of every event of a chaos run, and what was seen of it.

Knows no network and no clock: times are arguments, in seconds. An event is *in* once ingest has told
ACCEPTED, or DUPLICATE of itself to a try that follows one without an answer. Every event has an author of its
own here, so none is the duplicate of another.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

_MOST_QUEUE_MS = 1_800_000
_HONEST_CODES = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"})
_NEVER_ARRIVED = ("CANCELLED", "CANCELLED")
"""Of gRPC's core, which had read a call and dropped it, for the server stopped before the service took it."""


@dataclass(slots=True)
class _Account:
    maybe_in: bool = False  # a try of it ended without an answer
    during: str | None = None  # since when it is in
    seen: bool = False


class Ledger:
    """Accounts by event id; `during` names what goes on, and is noted for each event that gets in."""

    def __init__(self) -> None:
        self.during = ""
        self.codes: Counter[str] = Counter()
        self.dishonest: list[str] = []
        self.false_accepted: list[str] = []
        self.false_duplicates: list[str] = []
        self.rejected: list[str] = []
        self.poison: set[str] = set()
        self.wrongly_timed: list[str] = []
        self._accounts: dict[str, _Account] = {}
        self._unanswered: dict[str, float] = {}  # in the order of time, as the next one
        self._without_verdict: dict[str, float] = {}
        self._in = 0

    @property
    def accepted(self) -> int:
        """How many events are in."""
        return self._in

    @property
    def unanswered(self) -> list[str]:
        """Ids of events that were sent and neither told in nor rejected."""
        return list(self._unanswered)

    @property
    def got_in(self) -> dict[str, str]:
        """For each event that is in, by its id: what went on when it got in."""
        return {
            event_id: account.during
            for event_id, account in self._accounts.items()
            if account.during is not None
        }

    def sent(self, event_id: str, at: float) -> None:
        """A new event is about to be sent."""
        self._accounts[event_id] = _Account()
        self._unanswered[event_id] = at

    def without_answer(self, event_id: str) -> None:
        """A try ended so that nobody knows whether it was carried out."""
        self._accounts[event_id].maybe_in = True

    def refused(self, code: str, details: str) -> None:
        """A call has failed; only a status that asks to try again is an honest one."""
        self.codes[code] += 1
        if code not in _HONEST_CODES and (code, details) != _NEVER_ARRIVED:
            self.dishonest.append(f"{code} ({details}) during: {self.during}")

    def told_accepted(self, event_id: str, at: float) -> None:
        """Ingest has told ACCEPTED."""
        if self._accounts[event_id].during is not None:
            self.false_accepted.append(event_id)
        else:
            self._get_in(event_id, at)

    def told_duplicate(self, event_id: str, at: float, *, duplicate_of: str) -> None:
        """Ingest has told DUPLICATE; whether the event has its verdict the audit will tell."""
        account = self._accounts[event_id]
        if duplicate_of != event_id or not (account.maybe_in or account.during is not None):
            self.false_duplicates.append(event_id)
        if account.during is None:
            self._get_in(event_id, at)

    def told_rejected(self, event_id: str) -> None:
        """Ingest has told REJECTED, which no event of this run deserves."""
        self.rejected.append(event_id)
        self._unanswered.pop(event_id, None)

    def poisoned(self, event_id: str, at: float) -> None:
        """An entry that cannot be decoded was put into a stream; its dead letter is to come."""
        self.poison.add(event_id)
        self._without_verdict[event_id] = at

    def seen(self, event_id: str) -> None:
        """A verdict or a dead letter is in its stream."""
        self._without_verdict.pop(event_id, None)
        if account := self._accounts.get(event_id):
            account.seen = True

    def waited(self, event_id: str, queue_ms: float) -> None:
        """Its verdict says how long it waited: no less than nothing, and no hour that only a clock went."""
        if not 0 <= queue_ms < _MOST_QUEUE_MS:
            self.wrongly_timed.append(event_id)

    def is_in(self, event_id: str) -> bool:
        """Whether the event is in."""
        return self._accounts[event_id].during is not None

    def has_verdict(self, event_id: str) -> bool:
        """Whether a verdict or dead letter of this event was seen."""
        return self._accounts[event_id].seen

    def answered(self, before: float) -> bool:
        """Whether all that was sent before that time is in, or rejected."""
        return next(iter(self._unanswered.values()), before) >= before

    def screened(self, before: float) -> bool:
        """Whether all that got in before that time has its verdict, and poison its dead letter."""
        return next(iter(self._without_verdict.values()), before) >= before

    def settled(self, before: float) -> bool:
        """Both."""
        return self.answered(before) and self.screened(before)

    def _get_in(self, event_id: str, at: float) -> None:
        account = self._accounts[event_id]
        account.during = self.during
        self._in += 1
        self._unanswered.pop(event_id, None)
        if not account.seen:
            self._without_verdict[event_id] = at
