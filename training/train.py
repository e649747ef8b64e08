"""The whole training of the risk branch and its head, stage by stage, each kept so that a stop costs minutes.

1. Stage `left-out`: without the sources of LEFT_OUT, which so stand in for data that nobody has seen.
2. Stage `all`: goes on from there with every source, the hand-made texts and changed copies.
3. Rounding to the committed form; calibration and thresholds on the validation split; the report.

Weights that are there already can be trained onward: stage `onward` goes on from them, like `all`.

Everything is seeded. Runs on one machine and torch version differ in nothing; elsewhere the last digits may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from screener.tokens import Tokenizer
from training.branch.branch import RiskBranch
from training.branch.examples import Examples, augmented_examples, corpus_examples, synthetic_examples
from training.branch.fit import Stage, fit, logits_of
from training.branch.network import Stem
from training.branch.tokenized import MAX_TOKENS, Tokenized
from training.branch_file import rounded
from training.calibration import Calibration, Floats, calibrate
from training.corpus import Corpus, read_corpus
from training.encoder import LAYERS, read_encoder
from training.head import RiskHead
from training.report import split_report, stand_in_report, thresholds_report
from training.risk_weights import RiskWeights
from training.source import Report, Source
from training.synthetic.reading import read_synthetic
from training.thresholds import benign, choose_thresholds, truth_with_any

LEFT_OUT = ("hatemoji", "convabuse", "youtube-spam")
"""Emoji that change the meaning, talk to a machine, self-promotion: unlike the other sources."""

BRANCH_LAYERS = 6
"""Half of e5's blocks, for half of its cost. All twelve gain too little on LEFT_OUT (docs/model-card.md)."""

NEW_SHARE = 0.6
"""Of the weights that `onward` ends with: the average with those that it began from is better than either."""

Advance = Callable[[str, int, int], None]
"""Told what is being computed, what is done and what there is in all."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long each stage trains, in passes over what it draws."""

    left_out: Stage
    everything: Stage

    @classmethod
    def of(cls, passes: float) -> Plan:
        """The usual rates, for so many passes in each stage."""
        return cls(
            Stage("left-out", passes, block_rate=1e-4, head_rate=2e-3, last_rate=0.3),
            Stage("all", passes, block_rate=6e-5, head_rate=5e-4, last_rate=0.0, seed=2),
        )

    @classmethod
    def onward(cls, passes: float, rate: float) -> Stage:
        """For weights that are trained already, from `rate` (of the blocks) down to nothing."""
        return Stage("onward", passes, block_rate=rate, head_rate=5 * rate, last_rate=0.0, seed=3)


@dataclass(frozen=True, slots=True)
class Trained:
    """The weights, and what they scored."""

    weights: RiskWeights
    report: dict[str, Any]


class Training:
    """One training on the corpus in `data`, with everything that can be kept below `cache`."""

    def __init__(
        self, data: Path, source: Source, cache: Path, *, device: str, report: Report, advance: Advance
    ) -> None:
        self._data = data
        self._cache = cache
        self._device = device
        self._say = report
        self._advance = advance
        self._encoder = read_encoder(source.encoder)
        self._tokenizer = Tokenizer.from_file(source.tokenizer, max_tokens=MAX_TOKENS)
        self._words = Stem(self._encoder, 0).to(device)
        self._stem = Stem(self._encoder, LAYERS - BRANCH_LAYERS).to(device)

    def run(self, plan: Plan, *, rows: int | None = None) -> Trained:
        """All stages; `rows` cuts moderation-train to its first. Raises CorpusInvalid or SourceInvalid."""
        train, main, others = self._examples(rows)
        kept = ~np.isin(train.sources, LEFT_OUT)
        branch = RiskBranch(self._encoder.layers[LAYERS - BRANCH_LAYERS :])
        branch = self._fit(branch, main.where(kept).joined(others), plan.left_out)
        stand_ins = self._stand_ins(branch)
        everything = self._with_copies(train, main, others, seed=plan.everything.seed)
        branch = self._fit(branch, everything, plan.everything)
        return self._finished(branch, stand_ins, len(everything.rows))

    def onward(
        self, start: RiskWeights, stage: Stage, *, stand_ins: dict[str, Any], rows: int | None = None
    ) -> Trained:
        """Every source, from trained weights on; `stand_ins`: what was found before of the unseen."""
        train, main, others = self._examples(rows)
        branch = RiskBranch(start.branch)
        branch.load_head(start.head)
        everything = self._with_copies(train, main, others, seed=stage.seed)
        began_from = {name: values.clone() for name, values in branch.state_dict().items()}
        branch = self._fit(branch, everything, stage)
        branch.load_state_dict(
            {
                name: torch.lerp(began_from[name].to(values.device), values, NEW_SHARE)
                for name, values in branch.state_dict().items()
            }
        )
        return self._finished(branch, stand_ins, len(everything.rows))

    def _examples(self, rows: int | None) -> tuple[Corpus, Examples, Examples]:
        """moderation-train, its examples, and those of the other corpora."""
        train = self._read("train")
        train = train if rows is None else train.head(rows)
        others = self._corpus_examples(self._read("extra-train"))
        others = others.joined(synthetic_examples(self._tokenizer, read_synthetic()))
        return train, self._corpus_examples(train), others

    def _corpus_examples(self, corpus: Corpus) -> Examples:
        return corpus_examples(self._tokenizer, self._words, corpus, device=self._device)

    def _with_copies(self, train: Corpus, main: Examples, others: Examples, *, seed: int) -> Examples:
        return main.joined(others).joined(augmented_examples(self._tokenizer, train, main.rows, seed=seed))

    def _fit(self, branch: RiskBranch, examples: Examples, stage: Stage) -> RiskBranch:
        self._say(f"stage {stage.name}: {len(examples.rows)} rows, {examples.rows.draws.sum():.0f} drawn")
        return fit(
            branch,
            examples.texts,
            examples.rows,
            stage,
            stem=self._stem,
            checkpoint=self._cache / "training" / f"{stage.name}.pt",
            device=self._device,
            progress=lambda done, total, loss: self._advance(f"{stage.name}, loss {loss:.4f}", done, total),
        )

    def _stand_ins(self, branch: RiskBranch) -> dict[str, Any]:
        """The sources that the first stage has not seen, in valid and test together."""
        parts = [self._read(split) for split in ("valid", "test")]
        parts = [part.taken(np.isin(part.sources, LEFT_OUT)) for part in parts]
        raw = [
            self._logits(branch, f"left out of {name}", part)
            for name, part in zip(("valid", "test"), parts, strict=True)
        ]
        return stand_in_report(parts[0].joined(parts[1]), np.concatenate(raw))

    def _finished(self, branch: RiskBranch, stand_ins: dict[str, Any], rows: int) -> Trained:
        layers = rounded(branch.layers(), self._encoder)
        branch.load_layers(layers)
        valid = self._read("valid")
        raw = self._logits(branch, "valid", valid)
        calibration = calibrate(raw, valid.labels)
        chances = calibration.probabilities(raw)
        thresholds = choose_thresholds(chances, truth_with_any(valid), benign(valid))
        weights = RiskWeights(layers, _head(branch, calibration, thresholds))
        splits = {"valid": split_report(chances, valid, thresholds)}
        for name in ("test", "extra-test"):
            corpus = self._read(name)
            chances = calibration.probabilities(self._logits(branch, name, corpus))
            splits[name] = split_report(chances, corpus, thresholds)
        report = {
            "rows": rows,
            "stand_ins": stand_ins,
            "thresholds": thresholds_report(thresholds),
            "splits": splits,
        }
        return Trained(weights, report)

    def _logits(self, branch: RiskBranch, name: str, corpus: Corpus) -> Floats:
        return logits_of(
            branch,
            Tokenized.of(self._tokenizer, corpus.texts),
            stem=self._stem,
            device=self._device,
            advance=lambda done: self._advance(name, done, len(corpus.texts)),
        )

    def _read(self, name: str) -> Corpus:
        return read_corpus(self._data / f"moderation-{name}.jsonl.gz")


def _head(branch: RiskBranch, calibration: Calibration, thresholds: NDArray[np.float32]) -> RiskHead:
    """The head with Platt's slopes multiplied in; the reading of any harm keeps its own scale."""
    slopes = np.append(calibration.slopes, 1.0)
    offsets = np.append(calibration.offsets, 0.0)

    def scaled(parameter: torch.Tensor) -> NDArray[np.float32]:
        array = parameter.detach().cpu().numpy().astype(np.float64)
        return (array.T * slopes).T.astype(np.float32)

    return RiskHead(
        attention=branch.attention.detach().cpu().numpy(),
        on_attended=scaled(branch.on_attended),
        on_mean=scaled(branch.on_mean),
        bias=(scaled(branch.bias) + offsets).astype(np.float32),
        any_harm=calibration.any_harm.astype(np.float32),
        thresholds=thresholds,
    )
