"""The audit of a chaos run: what ingest told, against what lies in Redis at the end. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pipeline.record import RecordState
from scripts.chaos.end_state import EndState
from scripts.chaos.ledger import Ledger

_NAMED = 3


@dataclass(slots=True)
class Tally:
    """Of the events that got in during one kind of fault.

    Attributes:
        accepted: events that got in.
        verdicts: those of them with a verdict.
        lost: those without.
        doubled: verdicts and dead letters beyond the one verdict of each.
    """

    accepted: int = 0
    verdicts: int = 0
    lost: int = 0
    doubled: int = 0

    def add(self, other: Tally) -> None:
        """Adds another kind's."""
        self.accepted += other.accepted
        self.verdicts += other.verdicts
        self.lost += other.lost
        self.doubled += other.doubled


@dataclass(frozen=True, slots=True)
class Findings:
    """What the audit found; `complaints` are promises that were broken, a line each."""

    tallies: Mapping[str, Tally]
    complaints: tuple[str, ...]


def audit(ledger: Ledger, end: EndState) -> Findings:
    """Compares the two."""
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    got_in = ledger.got_in
    for event_id, during in got_in.items():
        tally, verdicts = tallies[during], end.verdicts.get(event_id, 0)
        tally.accepted += 1
        tally.verdicts += verdicts > 0
        tally.lost += verdicts == 0
        tally.doubled += max(0, verdicts + end.dead_letters.get(event_id, 0) - 1)
    broken = {
        "lost": [i for i in got_in if not end.verdicts.get(i)],
        "doubled": [i for i in got_in if end.verdicts.get(i, 0) > 1],
        "told ACCEPTED twice": ledger.false_accepted,
        "told DUPLICATE without having been sent before": ledger.false_duplicates,
        "rejected": ledger.rejected,
        "sent and never answered": ledger.unanswered,
        "in, while their record does not say SCREENED": [
            i for i in got_in if end.states.get(i) is not RecordState.SCREENED
        ],
        "with a verdict, never told in": [i for i in end.verdicts if i not in got_in],
        "dead-lettered without being poison": [i for i in end.dead_letters if i not in ledger.poison],
        "with a wait that cannot be": ledger.wrongly_timed,
        "poison without its one dead letter": [i for i in ledger.poison if end.dead_letters.get(i) != 1],
    }
    complaints = [f"{len(ids)} events {how}: {_named(ids)}" for how, ids in broken.items() if ids]
    if end.left or end.pending:
        complaints.append(f"{end.left} entries left in events:raw and events:direct, {end.pending} pending")
    complaints += [f"a call ended with {status}" for status in sorted(set(ledger.dishonest))]
    return Findings(dict(tallies), tuple(complaints))


def _named(ids: Collection[str]) -> str:
    shown = ", ".join(sorted(ids)[:_NAMED])
    return f"{shown}, …" if len(ids) > _NAMED else shown
