"""What a benchmark found: each figure beside its limit and what it is to reach, and as JSON and back."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson

from benchmarks.turns import Series


@dataclass(frozen=True, slots=True)
class Effort:
    """How thoroughly to measure."""

    rounds: int
    seconds: float
    """Of load, each time."""
    brief: bool = False
    """As small as still runs every step, for checks that a benchmark works; its figures mean nothing."""

    @classmethod
    def full(cls) -> Self:
        """What the documentation's figures come from."""
        return cls(rounds=5, seconds=5.0)

    @classmethod
    def briefly(cls) -> Self:
        """A few seconds for each benchmark."""
        return cls(rounds=1, seconds=0.5, brief=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a figure, or its ratio to the limit, is to reach. One of the two bounds is given."""

    least: float | None = None
    most: float | None = None
    of_ratio: bool = False

    def reached(self, line: Line) -> bool:
        """Whether the median over the rounds reaches it."""
        value = line.ratio.median if self.of_ratio and line.ratio else line.ours.median
        return value >= self.least if self.least is not None else value <= (self.most or 0.0)

    def __str__(self) -> str:
        bound = f"≥ {self.least:,g}" if self.least is not None else f"≤ {self.most:,g}"
        return f"{bound} of it" if self.of_ratio else bound


@dataclass(frozen=True, slots=True)
class Line:
    """One figure, over the rounds.

    Attributes:
        figure: what it is, with its unit: `500 an RPC, events/s`.
        ours: of the system.
        limit: the same figure of `against`, measured in the same rounds; None where nothing bounds it.
        against: what the limit is: `a no-op handler`.
        wanted: what it is to reach; more than one may hold.
    """

    figure: str
    ours: Series
    limit: Series | None = None
    against: str = ""
    wanted: tuple[Wanted, ...] = ()

    @property
    def ratio(self) -> Series | None:
        """Ours to the limit, round by round: both saw the same noise."""
        if self.limit is None:
            return None
        return Series(
            tuple(ours / limit for ours, limit in zip(self.ours.values, self.limit.values, strict=True))
        )


@dataclass(frozen=True, slots=True)
class Result:
    """One benchmark's lines, and what explains them."""

    benchmark: str
    lines: tuple[Line, ...]
    details: Mapping[str, float | str] = field(default_factory=dict)
    """By name with unit: sizes, settings, where the time goes."""

    def encode(self) -> bytes:
        """JSON, with the machine it was measured on."""
        return orjson.dumps(
            {"machine": machine(), **asdict(self)}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        )

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """What `encode` wrote.

        Raises:
            ValueError: it is something else.
        """
        try:
            found: dict[str, Any] = orjson.loads(content)
            lines = tuple(
                Line(
                    figure=line["figure"],
                    ours=Series(tuple(line["ours"]["values"])),
                    limit=Series(tuple(line["limit"]["values"])) if line["limit"] else None,
                    against=line["against"],
                    wanted=tuple(Wanted(**wanted) for wanted in line["wanted"]),
                )
                for line in found["lines"]
            )
            return cls(found["benchmark"], lines, found["details"])
        except (KeyError, TypeError, orjson.JSONDecodeError) as error:
            raise ValueError("not a result of seawall bench") from error


def machine() -> dict[str, str | int]:
    """What a figure depends on."""
    model = next(
        (line.split(":", 1)[1].strip() for line in _cpu_info() if line.startswith("model name")), "unknown"
    )
    return {"processor": model, "threads": len(os.sched_getaffinity(0)), "python": platform.python_version()}


def _cpu_info() -> list[str]:
    return Path("/proc/cpuinfo").read_text().splitlines()
