"""Which texts are in African American English, by the reviewed markers of `dialect.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MARKERS = Path(__file__).with_name("dialect.toml")

_STRAIGHT = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u00b4": "'", "`": "'"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """The pattern of each marker by its name."""

    markers: Mapping[str, re.Pattern[str]]

    @classmethod
    def load(cls) -> Dialect:
        """Reads `dialect.toml`."""
        file = tomllib.loads(MARKERS.read_text(encoding="utf-8"))
        return cls({marker["name"]: re.compile(marker["pattern"]) for marker in file["marker"]})

    def is_in(self, text: str) -> bool:
        """Whether the text has a marker."""
        return any(self.markers_in(text))

    def markers_in(self, text: str) -> list[str]:
        """The names of the markers that the text has."""
        plain = " ".join(text.translate(_STRAIGHT).lower().split())
        return [name for name, pattern in self.markers.items() if pattern.search(plain)]
