"""Which harmless rows teach little: those that a linear model on the words alone already puts low."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from screener.model import ANY_HARM
from training.branch.below import below
from training.branch.network import Stem
from training.branch.rows import Rows
from training.branch.tokenized import Tokenized
from training.encoder import WIDTH
from training.logistic import fit_logistic

_ROWS_AT_ONCE = 256
_PENALTY = 1e-3


def easy_rows(rows: Rows, means: NDArray[np.float32]) -> NDArray[np.bool_]:
    """[rows]: harmless ones in the lower half of the harmless, by the logit of any harm.

    `means` [rows, 384]: see `mean_states`.
    """
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


def mean_states(stem: Stem, texts: Tokenized, device: str) -> NDArray[np.float32]:
    """[rows, 384]: each text's mean over its tokens, of what the branch starts from."""
    means = np.empty((len(texts.lengths), WIDTH), np.float32)
    order = np.argsort(texts.lengths, kind="stable")
    for start in range(0, len(order), _ROWS_AT_ONCE):
        chosen = order[start : start + _ROWS_AT_ONCE]
        states, tokens = below(stem, texts, chosen, device)
        means[chosen] = (
            ((states * tokens[:, :, None]).sum(dim=1) / tokens.sum(dim=1, keepdim=True)).cpu().numpy()
        )
    return means
