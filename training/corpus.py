"""The moderation corpus as texts, sources and a label matrix in which unknown stays unknown."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from screener.model import CATEGORIES
from training.errors import CorpusInvalid


@dataclass(frozen=True, slots=True)
class Corpus:
    """One split."""

    texts: tuple[str, ...]
    sources: NDArray[np.str_]
    """[rows]"""
    labels: NDArray[np.float32]
    """[rows, 6]: 0, 1, or NaN where the source does not tell."""

    def __len__(self) -> int:
        return len(self.texts)

    def taken(self, chosen: NDArray[np.bool_]) -> Corpus:
        """The rows where `chosen` [rows] is true."""
        texts = tuple(text for text, kept in zip(self.texts, chosen, strict=True) if kept)
        return Corpus(texts, self.sources[chosen], self.labels[chosen])

    def joined(self, other: Corpus) -> Corpus:
        """Both, this one first."""
        return Corpus(
            self.texts + other.texts,
            np.concatenate([self.sources, other.sources]),
            np.concatenate([self.labels, other.labels]),
        )

    def head(self, rows: int) -> Corpus:
        """The first `rows` rows: the files are in a mixed order, so this is a random sample."""
        return Corpus(self.texts[:rows], self.sources[:rows], self.labels[:rows])


def read_corpus(path: Path) -> Corpus:
    """Read one `*.jsonl.gz`; raises CorpusInvalid naming the file and line."""
    texts: list[str] = []
    sources: list[str] = []
    labels: list[list[float]] = []
    for number, row in _rows(path):
        try:
            texts.append(row["text"])
            sources.append(row["source"])
            labels.append([float(row["labels"].get(category, np.nan)) for category in CATEGORIES])
        except (KeyError, TypeError, AttributeError) as error:
            raise CorpusInvalid(f"{path}, line {number}: no moderation row ({error!r})") from error
    if not texts:
        raise CorpusInvalid(f"{path} holds no rows")
    return Corpus(tuple(texts), np.array(sources), np.array(labels, dtype=np.float32))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                yield number, json.loads(line)
    except FileNotFoundError as error:
        raise CorpusInvalid(f"no corpus at {path}: name its folder with --data") from error
    except (OSError, EOFError, ValueError) as error:
        raise CorpusInvalid(f"{path} is not gzipped JSON Lines: {error}") from error
