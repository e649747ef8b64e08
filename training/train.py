"""The whole training of the head: embed, try recipes, fit, calibrate, choose thresholds, report.

Nothing is random: the corpus is in a fixed order, the fits are convex. Runs on one machine differ in nothing;
on another CPU the last digits may, for its matrix library adds in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from screener.model import CATEGORIES
from training.corpus import Corpus, read_corpus
from training.embedding import CHUNK_ROWS, Embedder, embed_in_chunks
from training.encoder import read_encoder
from training.fit import (
    Floats,
    Linear,
    Recipe,
    any_harm,
    calibrate,
    calibrate_any,
    fit_labels,
    probabilities,
)
from training.head import RiskHead
from training.logistic import sigmoid
from training.metrics import average_precision
from training.rounding import rounding_covariance
from training.source import Report, Source
from training.thresholds import choose_thresholds, escalated

OUTPUT_NAMES = (*CATEGORIES, "ANY")
ORDINARY_SOURCES = ("gametox", "conda", "jigsaw")
"""Chat and talk as it comes, most of it benign: what the alert budget is counted on."""

_RECIPES = [
    Recipe(l2=l2, source_power=power, with_extra=extra)
    for l2, power, extra in product((3e-3, 1e-2), (1.0, 0.5), (False, True))
]

Advance = Callable[[str, int, int], None]
"""Told the split, the rows done and the rows in all."""


@dataclass(frozen=True, slots=True)
class Part:
    """A split and its embeddings."""

    corpus: Corpus
    embeddings: NDArray[np.float32]
    """[rows, 384]"""

    def joined(self, other: Part) -> Part:
        """Both, this one first."""
        corpus = Corpus(
            self.corpus.texts + other.corpus.texts,
            np.concatenate([self.corpus.sources, other.corpus.sources]),
            np.concatenate([self.corpus.labels, other.corpus.labels]),
        )
        return Part(corpus, np.concatenate([self.embeddings, other.embeddings]))


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The six calibrated outputs, and the scale of any harm."""

    labels: Linear
    any_scale: Floats
    """[2]: slope, offset."""

    def probabilities(self, embeddings: NDArray[np.float32]) -> Floats:
        """All seven [rows, 7] in 0..1."""
        return probabilities(self.labels, self.any_scale, embeddings)


@dataclass(frozen=True, slots=True)
class Trained:
    """The head, and what it scored."""

    head: RiskHead
    report: dict[str, Any]


def train_head(
    data: Path,
    source: Source,
    cache: Path,
    *,
    rows: int | None,
    extra_rows: int | None,
    threads: int,
    report: Report,
    advance: Advance,
) -> Trained:
    """Train on the corpus in `data`; `rows` and `extra_rows` cut the training files to their first rows.

    About 45 rows a second on two cores for the embedding, which is kept below `cache`; then a minute or two.
    Raises CorpusInvalid or SourceInvalid.
    """
    corpora = {
        name: read_corpus(data / f"moderation-{name}.jsonl.gz")
        for name in ("train", "extra-train", "valid", "test", "extra-test")
    }
    for name, limit in (("train", rows), ("extra-train", extra_rows)):
        if limit is not None:
            corpora[name] = corpora[name].head(limit)
    encoder = read_encoder(source.encoder)
    embedder = Embedder.create(
        encoder,
        source.tokenizer,
        fingerprint=f"{source.encoder_sha256}/{source.tokenizer_sha256}",
        threads=threads,
    )
    parts = {
        name: Part(corpus, np.concatenate(list(_chunks(embedder, corpus, cache, name, advance))))
        for name, corpus in corpora.items()
    }
    rounding = rounding_covariance(encoder, source.tokenizer, threads=threads)
    recipe, tried = _choose(parts, rounding, report)
    trained = parts["train"].joined(parts["extra-train"]) if recipe.with_extra else parts["train"]
    labels = fit_labels(trained.embeddings, trained.corpus, rounding, recipe)
    model = _calibrated(labels, parts["valid"])
    head = RiskHead(
        weight=np.ascontiguousarray(model.labels.weight, dtype=np.float32),
        bias=model.labels.bias.astype(np.float32),
        any_harm=model.any_scale.astype(np.float32),
        thresholds=_thresholds(model, parts["valid"]),
    )
    return Trained(head, _report(head, model, parts, recipe=recipe, tried=tried, rows=len(trained.corpus)))


def _chunks(
    embedder: Embedder, corpus: Corpus, cache: Path, name: str, advance: Advance
) -> Iterator[NDArray[np.float32]]:
    done = 0
    advance(name, 0, len(corpus))
    for chunk in embed_in_chunks(embedder, corpus.texts, cache / "embeddings"):
        done += len(chunk)
        advance(name, done, len(corpus))
        yield chunk


def _choose(parts: dict[str, Part], rounding: Floats, report: Report) -> tuple[Recipe, list[dict[str, Any]]]:
    """The recipe whose six labels rank best on the validation split, by mean AUPRC."""
    tried: list[tuple[float, Recipe]] = []
    both = parts["train"].joined(parts["extra-train"])
    for recipe in _RECIPES:
        part = both if recipe.with_extra else parts["train"]
        labels = fit_labels(part.embeddings, part.corpus, rounding, recipe)
        scores = labels.logits(parts["valid"].embeddings)
        areas = _areas(parts["valid"].corpus.labels.astype(np.float64), scores)
        tried.append((float(np.mean(areas)), recipe))
        report(f"{recipe}: mean AUPRC on valid {tried[-1][0]:.4f} ({', '.join(f'{a:.3f}' for a in areas)})")
    best = max(tried, key=lambda pair: pair[0])[1]
    return best, [{**asdict(recipe), "mean_auprc_valid": round(area, 4)} for area, recipe in tried]


def _calibrated(labels: Linear, valid: Part) -> Calibrated:
    """Calibrate the six, judge the unknown labels with them, and calibrate any harm."""
    truth = valid.corpus.labels.astype(np.float64)
    calibrated = calibrate(labels, valid.embeddings, truth, np.ones_like(truth))
    logits = calibrated.logits(valid.embeddings)
    any_truth, trust = any_harm(valid.corpus.labels, sigmoid(logits))
    return Calibrated(calibrated, calibrate_any(logits, any_truth, trust))


def _thresholds(model: Calibrated, valid: Part) -> NDArray[np.float32]:
    return choose_thresholds(
        model.probabilities(valid.embeddings), _truth(valid.corpus), _benign(valid.corpus)
    )


def _truth(corpus: Corpus) -> Floats:
    """The labels and any harm [rows, 7]; the latter unknown where none is 1 and TOXIC is unknown."""
    labels = corpus.labels.astype(np.float64)
    any_known = (labels == 1).any(axis=1)
    toxic = labels[:, CATEGORIES.index("TOXIC")]
    told = np.where(any_known, 1.0, np.where(np.isnan(toxic) & ~_only_rare_labels(labels), np.nan, 0.0))
    return np.concatenate([labels, told[:, np.newaxis]], axis=1)


def _only_rare_labels(labels: Floats) -> NDArray[np.bool_]:
    """Rows that tell SPAM or SEXUAL alone: their clean rows are taken for harmless."""
    known = ~np.isnan(labels)
    rare = known[:, [CATEGORIES.index("SPAM"), CATEGORIES.index("SEXUAL")]].any(axis=1)
    return np.asarray(rare & (known.sum(axis=1) <= 1))


def _benign(corpus: Corpus) -> NDArray[np.bool_]:
    """Rows of ordinary chat whose TOXIC is 0 and that have no label."""
    clean = (corpus.labels[:, CATEGORIES.index("TOXIC")] == 0) & ~(corpus.labels == 1).any(axis=1)
    return np.asarray(np.isin(corpus.sources, ORDINARY_SOURCES) & clean)


def _areas(truth: Floats, scores: Floats) -> list[float]:
    areas = []
    for output in range(truth.shape[1]):
        known = ~np.isnan(truth[:, output])
        areas.append(average_precision(truth[known, output] == 1, scores[known, output]))
    return areas


def _report(
    head: RiskHead,
    model: Calibrated,
    parts: dict[str, Part],
    *,
    recipe: Recipe,
    tried: list[dict[str, Any]],
    rows: int,
) -> dict[str, Any]:
    return {
        "rows": rows,
        "embedded_in_chunks_of": CHUNK_ROWS,
        "recipe": asdict(recipe),
        "recipes_tried": tried,
        "thresholds": {
            name: {"label": round(float(low), 4), "escalation": round(float(high), 4)}
            for name, low, high in zip(OUTPUT_NAMES, *head.thresholds, strict=True)
        },
        "splits": {
            name: _split_report(
                model.probabilities(parts[name].embeddings), parts[name].corpus, head.thresholds
            )
            for name in ("valid", "test", "extra-test")
        },
    }


def _split_report(chances: Floats, corpus: Corpus, thresholds: NDArray[np.float32]) -> dict[str, Any]:
    truth = _truth(corpus)
    report: dict[str, Any] = {"rows": len(corpus), "outputs": _output_reports(chances, truth, thresholds)}
    benign = _benign(corpus)
    if benign.any():
        report["benign_rows_of_ordinary_sources"] = int(benign.sum())
        report["benign_rows_escalated"] = round(
            escalated(chances[benign], thresholds[1].astype(np.float64)), 5
        )
    report["auprc_by_source"] = {
        str(source): {
            name: round(area, 4)
            for name, area in zip(
                OUTPUT_NAMES,
                _areas(truth[corpus.sources == source], chances[corpus.sources == source]),
                strict=True,
            )
            if not np.isnan(area)
        }
        for source in np.unique(corpus.sources)
    }
    return report


def _output_reports(chances: Floats, truth: Floats, thresholds: NDArray[np.float32]) -> dict[str, Any]:
    reports: dict[str, Any] = {}
    for output, name in enumerate(OUTPUT_NAMES):
        known = ~np.isnan(truth[:, output])
        positive, chance = truth[known, output] == 1, chances[known, output]
        reports[name] = {
            "positives": int(positive.sum()),
            "negatives": int((~positive).sum()),
            "auprc": round(average_precision(positive, chance), 4),
            "brier": round(float(((chance - positive) ** 2).mean()), 4),
            "at_label_threshold": _at(positive, chance >= thresholds[0, output]),
            "at_escalation_threshold": _at(positive, chance >= thresholds[1, output]),
        }
    return reports


def _at(positive: NDArray[np.bool_], called: NDArray[np.bool_]) -> dict[str, float]:
    hits = float((positive & called).sum())
    return {
        "precision": round(hits / max(float(called.sum()), 1.0), 4),
        "recall": round(hits / max(float(positive.sum()), 1.0), 4),
    }
