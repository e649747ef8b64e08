"""The growth of the time with the length, for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from benchmarks.worst_case import LENGTHS, Growth


def worst_case_table(grown: Sequence[Growth]) -> Table:
    """A row for each family of texts, in the order given."""
    table = Table(show_edge=False, pad_edge=False)
    table.add_column("texts of", no_wrap=True)
    for length in LENGTHS:
        table.add_column(f"{length:,} characters", justify="right")
    table.add_column("exponent", justify="right")
    for growth in grown:
        times = (f"{milliseconds:.1f} ms" for milliseconds in growth.milliseconds)
        table.add_row(growth.name, *times, f"{growth.exponent:.2f}")
    return table
