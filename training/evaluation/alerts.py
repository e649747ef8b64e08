"""How much of what is harmless reaches the people who review: the alert budget."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from training.evaluation.figures import Count, Counts, Figures, Key
from training.evaluation.groups import EVERY, groups
from training.evaluation.resampling import ratio, sums
from training.evaluation.rows import Rows
from training.evaluation.scored import Judged, Scorer
from training.thresholds import ORDINARY_SOURCES

BENIGN = "BENIGN"
"""As a subject: the rows whose known labels are all 0."""

BENIGN_CHAT = "BENIGN_CHAT"
"""The same, of the sources that stand for ordinary chat and talk."""

ROUTED = "routed"
"""The share of them that is routed to review."""


def alert_figures(
    rows: Rows, judged: Mapping[Scorer, Judged], weights: NDArray[np.uint8]
) -> tuple[Figures, Counts]:
    """The routed share for every group and scorer; a count's negatives are the rows, its positives none."""
    figures: Figures = {}
    counts: Counts = {}
    of_chat = np.isin(rows.sources, ORDINARY_SOURCES)
    routed = np.stack([said.routed for said in judged.values()], axis=1)
    for subject, benign in ((BENIGN, rows.is_benign), (BENIGN_CHAT, rows.is_benign & of_chat)):
        for group, chosen in groups(rows):
            here = np.flatnonzero(chosen & benign)
            if not len(here) or (subject == BENIGN_CHAT and group.source != EVERY):
                continue
            counts[group, subject] = Count(0, len(here))
            amounts = np.concatenate([np.ones((len(here), 1), dtype=np.bool_), routed[here]], axis=1)
            every, *alerts = sums(weights, here, amounts).T
            for scorer, samples in zip(judged, alerts, strict=True):
                figures[Key(group, scorer, subject, ROUTED)] = ratio(samples, every)
    return figures, counts
