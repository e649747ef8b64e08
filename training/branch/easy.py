"""Which harmless rows teach little: those that a linear model on the untuned states already puts low."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from screener.model import ANY_HARM
from training.branch.rows import Rows
from training.branch.states import States
from training.logistic import fit_logistic

_ROWS_AT_ONCE = 4096
_PENALTY = 1e-3


def easy_rows(rows: Rows, states: States) -> NDArray[np.bool_]:
    """[rows]: harmless ones in the lower half of the harmless, by the logit of any harm."""
    means = mean_states(states)
    means = (means - means.mean(axis=0)) / means.std(axis=0)
    weight, bias = fit_logistic(
        means,
        rows.truth[:, ANY_HARM].astype(np.float64),
        rows.weight[:, ANY_HARM].astype(np.float64),
        penalty=_PENALTY * np.eye(means.shape[1]),
    )
    logits = means @ weight + bias
    harmless = rows.truth[:, ANY_HARM] == 0
    return np.asarray(harmless & (logits < np.median(logits[harmless])))


def mean_states(states: States) -> NDArray[np.float32]:
    """[rows, 384]: each text's mean over its tokens."""
    parts = [
        np.add.reduceat(
            states.flat[states.starts[start] : states.starts[end]].astype(np.float32),
            states.starts[start:end] - states.starts[start],
        )
        for start, end in _ranges(len(states.lengths))
    ]
    return np.asarray(np.concatenate(parts) / states.lengths[:, np.newaxis], dtype=np.float32)


def _ranges(rows: int) -> list[tuple[int, int]]:
    return [(start, min(start + _ROWS_AT_ONCE, rows)) for start in range(0, rows, _ROWS_AT_ONCE)]
