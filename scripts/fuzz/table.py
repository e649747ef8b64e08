"""The report of a fuzz run, for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from scripts.fuzz.run import Report


def show(report: Report, console: Console) -> None:
    """Prints a row for each kind, the sums, and every broken promise."""
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("kind", no_wrap=True)
    table.add_column("inputs", justify="right")
    table.add_column("statuses of the calls")
    table.add_column("slowest call", justify="right")
    for kind, row in report.rows.items():
        codes = ", ".join(f"{count} {code}" for code, count in row.codes.most_common())
        table.add_row(kind, f"{row.inputs:,}", codes, f"{1_000 * row.worst_s:,.0f} ms")
    table.add_section()
    worst_s = max((row.worst_s for row in report.rows.values()), default=0.0)
    table.add_row("all", f"{report.inputs:,}", "", f"{1_000 * worst_s:,.0f} ms", style="bold")
    console.print(table)
    console.print(
        f"\n{len(report.accepted):,} events accepted, each with its verdict at the end; "
        f"{report.good} good events served meanwhile; {report.seconds:,.0f} s"
        if not report.complaints
        else f"\n{len(report.accepted):,} events accepted; {len(report.complaints)} complaints"
    )
    for complaint in report.complaints:
        console.print(complaint, style="red", markup=False, soft_wrap=True)
