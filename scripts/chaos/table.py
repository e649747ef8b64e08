"""The report of a chaos run, for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from scripts.chaos.report import Report, Row

_COLUMNS = ("times", "accepted", "verdicts", "lost", "doubled", "longest recovery", "until all was done")


def show(report: Report, console: Console) -> None:
    """Prints a row for each kind of fault, the sums, the calls that failed, and every broken promise."""
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("fault", no_wrap=True)
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    for row in report.rows:
        table.add_row(*_cells(row))
    table.add_section()
    table.add_row(*_cells(report.total), style="bold")
    console.print(table)
    failed = ", ".join(f"{number} {code}" for code, number in sorted(report.codes.items()))
    console.print(f"\ncalls of the client that failed and were repeated: {failed or 'none'}")
    for note in report.notes:
        console.print(note, markup=False)
    for complaint in report.complaints:
        console.print(complaint, style="red", markup=False)


def _cells(row: Row) -> tuple[str, ...]:
    tally = row.tally
    counts = (row.times, tally.accepted, tally.verdicts, tally.lost, tally.doubled)
    times = (f"{seconds:.1f} s" if row.times else "" for seconds in (row.recovery_s, row.whole_s))
    return (row.name, *map(str, counts), *times)
