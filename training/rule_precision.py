"""How precise each heuristic rule is: `python -m training.rule_precision DATA_FOLDER`.

For each rule and category, over the rows of the validation split whose label is known: how many the rule
fires on (n), the share of them that is positive (precision), and that share over the share among all such
rows (lift). Evidence in `screener/heuristics/rules.toml` must not exceed what is printed here. ANY is whether
any known label holds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.verdict import HARMFUL, Category
from screener.heuristics import Heuristics, Rules
from training.corpus import Corpus, read_corpus

ANY = "ANY"
SPLIT = "moderation-valid.jsonl.gz"
_FEWEST = 10


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description="precision and lift of each heuristic rule")
    parser.add_argument("data", type=Path, help="the folder of the moderation corpus")
    parser.add_argument("--split", default=SPLIT, help="the file to measure on (never the test split)")
    parser.add_argument(
        "--all", action="store_true", help="every category, not the rule's own and its evidence"
    )
    chosen = parser.parse_args(arguments)
    corpus = read_corpus(chosen.data / chosen.split)
    rules = Rules.load()
    fired = fire(Heuristics(rules), corpus)
    labels = with_any(corpus.labels)
    print("| rule | weight | category | evidence | n | precision | lift |")
    print("|---|---:|---|---:|---:|---:|---:|")
    for name, rule in sorted(rules.rules.items()):
        if name not in fired:
            print(f"| `{name}` | {rule.weight:.2f} | {_shown(rule.category)} | - | 0 | - | - |")
            continue
        for column, category in enumerate([*(c.name for c in HARMFUL), ANY]):
            own = category == _shown(rule.category) or (category != ANY and rule.evidence[column] > 0)
            if not (own or chosen.all):
                continue
            evidence = f"{rule.evidence[column]:.2f}" if category != ANY and rule.evidence[column] else "-"
            n, precision, lift = measure(fired[name], labels[:, column])
            figures = f"{n} | {precision:.2f} | {lift:.1f}" if n >= _FEWEST else f"{n} | - | -"
            print(f"| `{name}` | {rule.weight:.2f} | {category} | {evidence} | {figures} |")
    alone = np.zeros(len(corpus), dtype=bool)
    alone[sorted({row for rows in fired.values() for row in rows})] = True
    print(f"\n{len(corpus)} rows, on {int(alone.sum())} of them some rule fires.")


def fire(heuristics: Heuristics, corpus: Corpus) -> dict[str, NDArray[np.int64]]:
    """For each rule the rows it fires on."""
    fired: dict[str, list[int]] = {}
    for row, text in enumerate(corpus.texts):
        for name in {flag.rule for flag in heuristics.score_text(text).flags}:
            fired.setdefault(name, []).append(row)
    return {name: np.array(rows, dtype=np.int64) for name, rows in fired.items()}


def with_any(labels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The labels [rows, 6] with a column for whether any known one holds: [rows, 7]."""
    known = np.nan_to_num(labels, nan=0.0)
    return np.concatenate([labels, known.max(axis=1, keepdims=True)], axis=1)


def measure(rows: NDArray[np.int64], labels: NDArray[np.float32]) -> tuple[int, float, float]:
    """Among the rows whose label is known: how many, the share that is positive, and its lift."""
    hit = labels[rows]
    hit = hit[~np.isnan(hit)]
    if not hit.size:
        return 0, 0.0, 0.0
    precision = float(hit.mean())
    return int(hit.size), precision, precision / max(float(np.nanmean(labels)), 1e-9)


def _shown(category: Category) -> str:
    return ANY if category is Category.UNSPECIFIED else category.name


if __name__ == "__main__":
    main()
