"""Reads the file of scores that `seawall evaluate` keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.verdict import Route
from screener.model import CATEGORIES
from scripts.errors import BadRow, FileUnreadable
from scripts.rows.json_object import decode_object
from scripts.rows.labelled import LabelledRow, digest
from scripts.rows.source import numbered_lines, open_source
from training.evaluation.scored import Judged, Scored, Scorer, Served

KIND = "seawall scores"
"""What the header says the file is."""


def read_scores(name: str, rows: Sequence[LabelledRow]) -> Scored:
    """What file `name` says of the rows.

    Raises:
        FileUnreadable: the file cannot be read, is none of ours, or is about other rows.
    """
    with open_source(name) as source:
        try:
            lines = [decode_object(line, data) for line, data in numbered_lines(source)]
        except BadRow as bad:
            raise FileUnreadable(f"{name}, {bad}") from bad
    header, scores = (lines[0], lines[1:]) if lines else ({}, [])
    if header.get("kind") != KIND:
        raise FileUnreadable(f"{name} is no file of scores that `seawall evaluate` has written")
    if header["digest"] != digest(rows) or len(scores) != len(rows):
        raise FileUnreadable(
            f"{name} has the scores of {len(scores)} other rows: score these into another file, or name the"
            " files and the limit with which it was made"
        )
    try:
        return _scored(header, scores)
    except (KeyError, TypeError, ValueError) as error:
        raise FileUnreadable(
            f"{name} was written by another release: score again into another file"
        ) from error


def _scored(header: Mapping[str, Any], scores: Sequence[Mapping[str, Any]]) -> Scored:
    return Scored(
        served=Served(
            model_name=header["model_name"],
            model_version=header["model_version"],
            precision=header["precision"],
            thresholds=tuple(tuple(row) for row in header["thresholds"]),
            settings=header["settings"],
        ),
        probabilities=np.array([row["probabilities"] for row in scores], dtype=np.float64),
        judged={
            Scorer.FUSED: _judged(scores),
            Scorer.MODEL: _judged([row["alone"][Scorer.MODEL.value] for row in scores]),
            Scorer.HEURISTICS: _judged([row["alone"][Scorer.HEURISTICS.value] for row in scores]),
        },
    )


def _judged(rows: Sequence[Mapping[str, Any]]) -> Judged:
    columns = {category: column for column, category in enumerate(CATEGORIES)}
    return Judged(
        scores=np.array([[row["scores"][c] for c in CATEGORIES] for row in rows], dtype=np.float64),
        labels=np.array([[c in row["labels"] for c in CATEGORIES] for row in rows], dtype=np.bool_),
        risk=np.array([row["risk_score"] for row in rows], dtype=np.float64),
        routed=np.array([row["route"] == Route.REASONING_QUEUE.name.lower() for row in rows], dtype=np.bool_),
        category=np.array([columns.get(row["category"], -1) for row in rows], dtype=np.intp),
        confidence=np.array([row["confidence"] for row in rows], dtype=np.float64),
    )
