"""The training loop: masked cross-entropy, AdamW, an average of the weights, checkpoints to go on from."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.branch.batches import batches, draw
from training.branch.below import below
from training.branch.branch import RiskBranch
from training.branch.network import Stem
from training.branch.rows import Rows
from training.branch.tokenized import Tokenized

ROWS_PER_STEP = 64
"""What the loss is divided by: a row counts alike among many short ones and among a few long ones."""

_WARM_UP_STEPS = 200
_AVERAGED = 0.998
"""Of the running average of the weights, kept at each step: it looks back on about 500 steps."""
_TOKENS_DROPPED = 0.05
_WEIGHT_DECAY = 0.01
_LARGEST_GRADIENT = 1.0
_SECONDS_BETWEEN_CHECKPOINTS = 240.0
_ROWS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of training."""

    name: str
    passes: float
    """Over the drawn rows; the last may be a part."""
    block_rate: float
    head_rate: float
    last_rate: float
    """Share of the rates that is left at the end; they fall in a straight line."""
    seed: int = 1


Progress = Callable[[int, int, float], None]
"""Told the steps done, the steps in all and the running mean of the loss."""


def fit(
    branch: RiskBranch,
    texts: Tokenized,
    rows: Rows,
    stage: Stage,
    *,
    stem: Stem,
    checkpoint: Path,
    device: str,
    progress: Progress,
) -> RiskBranch:
    """Train; gives the averaged branch. Goes on from `checkpoint` where there is one.

    `stem` is what lies below the branch, on the same device. `branch` is changed. The checkpoint stays
    when the stage is through, so that a stage is done once.
    """
    run = _Run(branch, stage, device)
    steps = _order(texts, rows, stage)
    done = run.restore(checkpoint, _fingerprint(steps)) if checkpoint.exists() else 0
    kept_at = time.monotonic()
    mean_loss = 0.0
    for step in range(done, len(steps)):
        loss = run.step(*_batch(stem, texts, rows, steps[step], device), done=step, total=len(steps))
        mean_loss = loss if step == done else 0.99 * mean_loss + 0.01 * loss
        if time.monotonic() - kept_at > _SECONDS_BETWEEN_CHECKPOINTS:
            run.keep(checkpoint, step + 1, _fingerprint(steps))
            kept_at = time.monotonic()
        if (step + 1) % 20 == 0:
            progress(step + 1, len(steps), mean_loss)
    if done < len(steps):
        run.keep(checkpoint, len(steps), _fingerprint(steps))
    return run.averaged


def _order(texts: Tokenized, rows: Rows, stage: Stage) -> list[NDArray[np.int64]]:
    steps: list[NDArray[np.int64]] = []
    for number in range(int(np.ceil(stage.passes))):
        generator = np.random.default_rng((stage.seed, number))
        drawn = draw(rows.draws, generator)
        part = min(1.0, stage.passes - number)
        steps += batches(drawn[: int(len(drawn) * part)], texts.lengths, generator)
    return steps


def _fingerprint(steps: list[NDArray[np.int64]]) -> str:
    """Of the order of rows: what a checkpoint goes on from must have been trained on the same."""
    return hashlib.sha256(b"/".join(step.tobytes() for step in steps)).hexdigest()


def _batch(
    stem: Stem, texts: Tokenized, rows: Rows, chosen: NDArray[np.int64], device: str
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    truth, weight = (torch.from_numpy(part[chosen]).to(device) for part in (rows.truth, rows.weight))
    return *below(stem, texts, chosen, device), truth, weight


class _Run:
    """The branch under training, its average and its optimizer."""

    def __init__(self, branch: RiskBranch, stage: Stage, device: str) -> None:
        self._stage = stage
        self._branch = branch.to(device).train()
        self.averaged = RiskBranch(branch.layers()).to(device)
        self.averaged.load_state_dict(branch.state_dict())
        self.averaged.requires_grad_(requires_grad=False).eval()
        head = branch.head_parameters()
        decayed = [p for p in branch.blocks.parameters() if p.ndim == 2]
        plain = [p for p in branch.blocks.parameters() if p.ndim != 2]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": _WEIGHT_DECAY, "rate": stage.block_rate},
                {"params": plain, "weight_decay": 0.0, "rate": stage.block_rate},
                {"params": head, "weight_decay": 0.0, "rate": stage.head_rate},
            ],
            lr=0.0,
            betas=(0.9, 0.98),
            fused=True,  # one pass over the memory in place of ten: a sixth of the time on a processor
        )
        self._generator = torch.Generator(device).manual_seed(stage.seed)
        self._device = device

    def step(
        self, hidden: Tensor, tokens: Tensor, truth: Tensor, weight: Tensor, *, done: int, total: int
    ) -> float:
        """One batch; gives its mean loss."""
        rising = min(1.0, (done + 1) / _WARM_UP_STEPS)
        falling = 1.0 - (1.0 - self._stage.last_rate) * done / total
        for group in self._optimizer.param_groups:
            group["lr"] = group["rate"] * rising * falling
        logits = self._branch(hidden, self._some_dropped(tokens))
        losses = functional.binary_cross_entropy_with_logits(logits, truth, weight=weight, reduction="sum")
        self._optimizer.zero_grad(set_to_none=True)
        (losses / ROWS_PER_STEP).backward()
        torch.nn.utils.clip_grad_norm_(self._branch.parameters(), _LARGEST_GRADIENT)
        self._optimizer.step()
        self._average(done)
        return float(losses.detach()) / max(float(weight.sum()), 1.0)

    def keep(self, path: Path, done: int, fingerprint: str) -> None:
        """Write all that the rest depends on."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        torch.save(
            {
                "done": done,
                "fingerprint": fingerprint,
                "branch": self._branch.state_dict(),
                "averaged": self.averaged.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "generator": self._generator.get_state(),
            },
            partial,
        )
        partial.replace(path)

    def restore(self, path: Path, fingerprint: str) -> int:
        """Read what `keep` wrote; gives the steps done: none where it was kept of other data."""
        kept: dict[str, Any] = torch.load(path, map_location=self._device, weights_only=True)
        if kept["fingerprint"] != fingerprint:
            return 0
        self._branch.load_state_dict(kept["branch"])
        self.averaged.load_state_dict(kept["averaged"])
        self._optimizer.load_state_dict(kept["optimizer"])
        self._generator.set_state(kept["generator"].cpu())
        return int(kept["done"])

    def _some_dropped(self, tokens: Tensor) -> Tensor:
        """Hides one token in twenty, never the first: no single word shall decide."""
        kept = torch.rand(tokens.shape, generator=self._generator, device=self._device) >= _TOKENS_DROPPED
        kept[:, 0] = True
        return tokens & kept

    @torch.no_grad()
    def _average(self, done: int) -> None:
        kept = min(_AVERAGED, (done + 1) / (done + 10))
        for average, now in zip(self.averaged.parameters(), self._branch.parameters(), strict=True):
            average.lerp_(now, 1.0 - kept)


@torch.no_grad()
def logits_of(
    branch: RiskBranch,
    texts: Tokenized,
    *,
    stem: Stem,
    device: str,
    advance: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float64]:
    """Logits [rows, 7] of all rows, in their order; `advance` is told how many are done."""
    branch.eval()
    result = np.empty((len(texts.lengths), len(branch.bias)))
    order = np.argsort(texts.lengths, kind="stable")
    for start in range(0, len(order), _ROWS_AT_ONCE):
        chosen = order[start : start + _ROWS_AT_ONCE]
        result[chosen] = branch(*below(stem, texts, chosen, device)).cpu().numpy()
        advance(start + len(chosen))
    return result
