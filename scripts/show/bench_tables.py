"""Results of the benchmark suite as tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from benchmarks.compare import Change
from benchmarks.result import Line, Result
from benchmarks.turns import Series


def result_table(results: Sequence[Result]) -> Table:
    """A row for each figure: medians, half of the range over the rounds, the ratio and what is wanted."""
    table = Table(title_justify="left")
    table.add_column("benchmark")
    table.add_column("figure")
    for column in ("measured", "limit", "ratio", "wanted"):
        table.add_column(column, justify="right")
    for result in results:
        for number, line in enumerate(result.lines):
            table.add_row("" if number else result.benchmark, *_cells(line))
    return table


def markdown_table(results: Sequence[Result]) -> str:
    """The same as a table of Markdown, in which what is not reached is bold."""
    rows = ["| benchmark | figure | measured | limit | ratio | wanted |", "|---|---|---:|---:|---:|---|"]
    for result in results:
        for number, line in enumerate(result.lines):
            name = "" if number else f"`{result.benchmark}`"
            limit = f"{line.against}: {_cell(line.limit)}" if line.limit else ""
            ratio = f"{line.ratio.median:.2f}" if line.ratio else ""
            wanted = ", ".join(
                f"{wanted}" if wanted.reached(line) else f"**{wanted}: missed**" for wanted in line.wanted
            )
            rows.append(f"| {name} | {line.figure} | {_cell(line.ours)} | {limit} | {ratio} | {wanted} |")
    return "\n".join(rows)


def changes_table(benchmark: str, found: Sequence[Change]) -> Table:
    """Before, after, and the factor; in bold where it is more than the rounds spread."""
    table = Table(title=benchmark, title_justify="left")
    table.add_column("figure")
    for column in ("before", "after", "factor"):
        table.add_column(column, justify="right")
    for change in found:
        factor = f"{change.factor:.2f}"
        table.add_row(
            change.figure,
            _cell(change.before),
            _cell(change.after),
            f"[bold]{factor}[/bold]" if change.clear else factor,
        )
    return table


def _cells(line: Line) -> tuple[str, ...]:
    limit = f"{_cell(line.limit)}\n{line.against}" if line.limit else ""
    ratio = f"{line.ratio.median:.2f}" if line.ratio else ""
    wanted = "\n".join(f"{wanted} {'✓' if wanted.reached(line) else '✗'}" for wanted in line.wanted)
    return line.figure, _cell(line.ours), limit, ratio, wanted


def _cell(series: Series) -> str:
    digits = 0 if abs(series.median) >= 1000 else 1 if abs(series.median) >= 10 else 3
    return f"{series.median:,.{digits}f} ±{50 * series.spread:.0f} %"
