"""The word lists beside this module, read as they were published.

- `lexicon-surge-profanity.csv`: "The Obscenity List" by Surge AI, MIT; 1,598 entries with a category and a
  severity.
- `lexicon-ldnoobw.txt`: "List of Dirty, Naughty, Obscene, and Otherwise Bad Words" by Shutterstock and
  contributors, CC BY 4.0; 403 entries.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StartupFailed

FOLDER = Path(__file__).with_name("lexicons")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as published: text, category ("" where the list has none) and severity 0..3 (0: not told)."""

    text: str
    category: str
    severity: float


def read_lexicons(folder: Path = FOLDER) -> dict[str, tuple[Entry, ...]]:
    """Both lists, by name; raises StartupFailed where a file is missing or malformed."""
    try:
        with (folder / "lexicon-surge-profanity.csv").open(encoding="utf-8", newline="") as lines:
            surge = tuple(
                Entry(row["text"], row["category_1"], float(row["severity_rating"]))
                for row in csv.DictReader(lines)
            )
        plain = (folder / "lexicon-ldnoobw.txt").read_text(encoding="utf-8")
    except (OSError, KeyError, ValueError) as error:
        raise StartupFailed(f"cannot read the word lists in {folder}: {error}") from error
    ldnoobw = tuple(Entry(line.strip(), "", 0.0) for line in plain.splitlines() if line.strip())
    return {"surge": surge, "ldnoobw": ldnoobw}
