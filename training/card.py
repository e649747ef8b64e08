"""The model card's tables of figures, from the report beside the weights: `python -m training.card`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.report import OUTPUT_NAMES

CARD = Path(__file__).parents[1] / "docs" / "model-card.md"
REPORT = Path(__file__).parent / "weights" / "report.json"

LINEAR = (0.912, 0.858, 0.796, 0.503, 0.560, 0.878, 0.861)
"""AUPRC on the test split of the head on the frozen embedding that the branch replaced, by output."""

_HEAD = (
    "output", "positives in test", "linear, test", "valid", "test", "calibration error, test",
    "accuracy, test", "at label threshold, test", "at escalation threshold, test",
)  # fmt: skip
_TABLES = re.compile(r"(<!-- (?P<name>figures|stand-ins) -->\n).*?(<!-- end -->)", re.DOTALL)


def refreshed(card: str, report: Mapping[str, Any]) -> str:
    """The card with its tables as the report has them."""
    tables = {"figures": _figures(report["splits"]), "stand-ins": _stand_ins(report["stand_ins"])}
    return _TABLES.sub(lambda found: f"{found[1]}{tables[found['name']]}{found[3]}", card)


def _figures(splits: Mapping[str, Any]) -> str:
    lines = [_row(_HEAD), _row(("---", *("---:" for _ in _HEAD[1:7]), "---", "---"))]
    for name, linear in zip(OUTPUT_NAMES, LINEAR, strict=True):
        valid, test = (splits[split]["outputs"][name] for split in ("valid", "test"))
        lines.append(
            _row(
                (
                    "any harm" if name == "ANY" else name,
                    f"{test['positives']:,}",
                    _short(linear),
                    _short(valid["auprc"]),
                    _short(test["auprc"]),
                    _short(test["calibration_error"]),
                    _short(test["accuracy"]),
                    _at(test["at_label_threshold"]),
                    _at(test["at_escalation_threshold"]),
                )
            )
        )
    benign = " and ".join(
        f"{splits[split]['benign_rows_escalated']:.2%} on {split}" for split in ("valid", "test")
    )
    return (
        "".join(f"{line}\n" for line in lines) + f"\nBenign rows of ordinary chat that escalate: {benign}.\n"
    )


def _stand_ins(stand_ins: Mapping[str, Any]) -> str:
    rows = [
        (f"`{source}`", ", ".join(f"{name} {_short(area)}" for name, area in areas.items()))
        for source, areas in stand_ins.items()
    ]
    return "".join(f"{_row(row)}\n" for row in [("source", "AUPRC"), ("---", "---"), *rows])


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _short(figure: float) -> str:
    return f"{figure:.3f}".removeprefix("0")


def _at(figures: Mapping[str, float]) -> str:
    return f"P {figures['precision']:.2f}, R {figures['recall']:.2f}"


if __name__ == "__main__":
    CARD.write_text(
        refreshed(CARD.read_text(encoding="utf-8"), json.loads(REPORT.read_text())), encoding="utf-8"
    )
