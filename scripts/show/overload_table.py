"""The table of `seawall bench overload`."""

from __future__ import annotations

from rich.table import Table

from benchmarks.overload import MOST_MB, MOST_REFUSAL_MS, MOST_TIMES_SLOWER, OVERLOAD, OverloadFigures


def overload_table(figures: OverloadFigures) -> Table:
    """Each figure, with what is promised of it."""
    half, overload = figures.half, figures.overload
    table = Table("", "measured", "promised", title_justify="left")
    table.title = f"{OVERLOAD} times {figures.capacity:.0f} events/s offered, with a full queue"
    rows = [
        (
            "calls at half load: accepted, refused",
            f"{half['accepted']:,.0f}, {half['refused']:,.0f}",
            "",
        ),
        (
            "calls in the overload: accepted, refused",
            f"{overload['accepted']:,.0f}, {overload['refused']:,.0f}",
            "",
        ),
        ("accepted calls at half load, p99", f"{half['accepted_p99_ms']:.1f} ms", ""),
        (
            "accepted calls in the overload, p99",
            f"{overload['accepted_p99_ms']:.1f} ms",
            f"{MOST_TIMES_SLOWER:.0f} times that at most: {figures.times_slower:.1f}",
        ),
        ("refusals, p50", f"{overload['refused_p50_ms']:.1f} ms", ""),
        ("refusals, p99", f"{overload['refused_p99_ms']:.1f} ms", f"{MOST_REFUSAL_MS:.0f} ms at most"),
        (
            "the clients were late themselves, p99 (half load, overload)",
            f"{half['late_p99_ms']:.1f} ms, {overload['late_p99_ms']:.1f} ms",
            "",
        ),
        *(
            (f"memory of {name}", f"{peak:.0f} MB", f"below {MOST_MB[name]:.0f} MB")
            for name, peak in figures.peak_mb.items()
        ),
        (
            "share of its calls that was accepted, by client",
            ", ".join(f"{100 * share:.0f} %" for share in figures.shares.values()),
            "alike",
        ),
        ("drain", f"{figures.drain_s:.1f} s", ""),
        (
            "accepted events without a verdict, with two",
            f"{figures.lost}, {figures.doubled}",
            "0, 0",
        ),
    ]
    for row in rows:
        table.add_row(*row)
    return table
