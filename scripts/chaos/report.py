"""`Report`: a chaos run in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.chaos.audit import Findings, Tally


@dataclass(frozen=True, slots=True)
class Struck:
    """One fault that happened.

    Attributes:
        during: what the ledger calls the time from its beginning to the next one's.
        recovery_s: from its end until a fresh event had its verdict.
        whole_s: from its end until every part was ready and all earlier events had their verdicts.
    """

    during: str
    recovery_s: float
    whole_s: float


@dataclass(frozen=True, slots=True)
class Row:
    """All faults of one kind; the attributes are those of `Tally` and the longest of `Struck`."""

    name: str
    times: int
    tally: Tally
    recovery_s: float
    whole_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """A run that has ended; `complaints` are broken promises, `notes` what else happened, a line each."""

    rows: tuple[Row, ...]
    total: Row
    complaints: tuple[str, ...]
    notes: tuple[str, ...]
    codes: Mapping[str, int]

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return not (self.total.tally.lost or self.total.tally.doubled or self.complaints)


def report_of(
    struck: Sequence[Struck],
    findings: Findings,
    *,
    complaints: Sequence[str],
    notes: Sequence[str],
    codes: Mapping[str, int],
) -> Report:
    """Sums the run up, a row for each kind of fault; what got in before the first fault has one, too."""
    names = dict.fromkeys([*(each.during for each in struck), *findings.tallies])
    rows = [
        _row(name, [each for each in struck if each.during == name], findings.tallies.get(name, Tally()))
        for name in names
    ]
    total = Tally()
    for row in rows:
        total.add(row.tally)
    return Report(
        rows=tuple(sorted(rows, key=lambda row: row.name)),
        total=_row("all", struck, total),
        complaints=(*complaints, *findings.complaints),
        notes=tuple(notes),
        codes=dict(codes),
    )


def _row(name: str, struck: Sequence[Struck], tally: Tally) -> Row:
    return Row(
        name,
        times=len(struck),
        tally=tally,
        recovery_s=max((each.recovery_s for each in struck), default=0.0),
        whole_s=max((each.whole_s for each in struck), default=0.0),
    )
