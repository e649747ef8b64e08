"""The table of the rules on `docs/heuristics.md`: what each one claims, and how it measured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.verdict import HARMFUL, Category
from screener.heuristics.rules import Rule
from training.rule_firings import Precision

ANY = "any harm"
FEWEST = 10
"""Rows from which on a precision is told."""

_HEAD = (
    "rule", "weight", "speaks for", "evidence", "validation: n", "precision", "lift", "any harm", "lift",
    "worth", "beside the model", "training: n", "precision", "chat: n", "precision",
    "hand-made: n", "precision",
)  # fmt: skip
_LEFT = ("rule", "speaks for")
_TABLE = re.compile(r"(?P<begin><!-- rules -->\n).*?(?P<end><!-- end of rules -->)", re.DOTALL)
_NONE = "-"


@dataclass(frozen=True, slots=True)
class Claim:
    """One row of the table, as the rules file has it."""

    rule: str
    weight: float
    category: str
    evidence: float


@dataclass(frozen=True, slots=True)
class Measured:
    """How a claim measured: for its own category on each corpus, and for any harm on the validation rows."""

    own: tuple[Precision, ...]
    """Validation, training, chat, hand-made."""
    any_harm: Precision
    worth: float | None
    worth_beside_model: float | None


def claims(rules: Mapping[str, Rule]) -> Iterator[Claim]:
    """What each rule claims: a row for its category, and for every further one that it has evidence for."""
    for name, rule in sorted(rules.items()):
        own = [] if rule.category is Category.UNSPECIFIED else [rule.category]
        further = [c for c, value in zip(HARMFUL, rule.evidence, strict=True) if value and c not in own]
        for category in [*own, *further]:
            yield Claim(name, rule.weight, category.name, rule.evidence[HARMFUL.index(category)])
        if not own and not further:
            yield Claim(name, rule.weight, ANY, 0.0)


def table(rows: Sequence[tuple[Claim, Measured]]) -> str:
    """The table as Markdown; a rule's figures for any harm stand in its first row."""
    lines = [_line(_HEAD), _line(["---" if head in _LEFT else "---:" for head in _HEAD])]
    told: set[str] = set()
    for claim, measured in rows:
        first = claim.rule not in told
        told.add(claim.rule)
        lines.append(_line([*_claimed(claim), *_figures(measured, first=first)]))
    return "\n".join([*lines, ""])


def claimed(page: str) -> list[tuple[str, ...]]:
    """The first four cells of each row of the page's table; to be compared with `shown`.

    Raises:
        ValueError: the page has no table between its markers.
    """
    found = _TABLE.search(page)
    if found is None:
        raise ValueError("the page has no markers for the table of the rules")
    lines = [line for line in found.group().splitlines() if line.startswith("| `")]
    return [tuple(cell.strip() for cell in line.split("|")[1:5]) for line in lines]


def shown(rules: Mapping[str, Rule]) -> list[tuple[str, ...]]:
    """What `claimed` finds on a page that is up to date."""
    return [tuple(_claimed(claim)) for claim in claims(rules)]


def refreshed(page: str, new: str) -> str:
    """The page with the table between its markers made anew."""
    return _TABLE.sub(lambda match: match["begin"] + new + match["end"], page)


def _claimed(claim: Claim) -> list[str]:
    evidence = f"{claim.evidence:.2f}" if claim.evidence else _NONE
    return [f"`{claim.rule}`", f"{claim.weight:.2f}", claim.category, evidence]


def _figures(measured: Measured, *, first: bool) -> list[str]:
    validation, *others = measured.own
    cells = [str(validation.n), _share(validation), _lift(validation)]
    if first:
        cells += [_share(measured.any_harm), _lift(measured.any_harm)]
        cells += [
            _NONE if w is None else f"{round(w, 4) + 0.0:+.4f}"
            for w in (measured.worth, measured.worth_beside_model)
        ]
    else:
        cells += [""] * 4
    for other in others:
        cells += [str(other.n), _share(other)]
    return cells


def _share(precision: Precision) -> str:
    return f"{precision.share:.2f}" if precision.n >= FEWEST else _NONE


def _lift(precision: Precision) -> str:
    return f"{precision.lift:.1f}" if precision.n >= FEWEST else _NONE


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
