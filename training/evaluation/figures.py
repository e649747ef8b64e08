"""The figures of every question, by key: how well the scores rank, and how right the decisions are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from screener.model import CATEGORIES
from training.evaluation.groups import EVERY, Group, groups
from training.evaluation.questions import Answer, Question
from training.evaluation.ranking import rank
from training.evaluation.resampling import Samples, mean, ratio, sums
from training.evaluation.rows import Rows
from training.evaluation.scored import Scorer

MEAN = "MEAN"
"""As a subject: the mean over the labels. As a source: the mean over the sources that have enough of both
classes."""

LEAST_OF_A_CLASS = 10
"""Positives and negatives that a source must have to take part in the mean over sources."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which figure: of which rows, who judged, what was asked, what is told."""

    group: Group
    scorer: Scorer
    subject: str
    metric: str


@dataclass(frozen=True, slots=True)
class Count:
    """Rows of a group with a known answer."""

    positives: int
    negatives: int

    @property
    def is_enough(self) -> bool:
        """Whether a figure of these rows says anything by itself."""
        return min(self.positives, self.negatives) >= LEAST_OF_A_CLASS


Figures = dict[Key, Samples]
Counts = dict[tuple[Group, str], Count]


def question_figures(
    rows: Rows, asked: Sequence[Question], weights: NDArray[np.uint8]
) -> tuple[Figures, Counts]:
    """AUPRC, ROC AUC, precision, recall and accuracy of every question for every group, and their means.

    Precision, recall and accuracy are those of the decisions in service. Groups without a known answer have
    no entry.
    """
    figures: Figures = {}
    counts: Counts = {}
    for group, chosen in groups(rows):
        for question in asked:
            known = np.flatnonzero(chosen & ~np.isnan(question.truth))
            if len(known):
                positives = int(question.truth[known].sum())
                counts[group, question.subject] = Count(positives, len(known) - positives)
                for scorer, metric, samples in _figures(question, known, weights):
                    figures[Key(group, scorer, question.subject, metric)] = samples
    figures |= _means_over_labels(figures)
    figures |= _means_over_sources(figures, counts)
    return figures, counts


def _figures(
    question: Question, known: NDArray[np.intp], weights: NDArray[np.uint8]
) -> Iterator[tuple[Scorer, str, Samples]]:
    truth = question.truth[known] == 1
    decided = [answer.decided[known] for answer in question.answers.values()]
    amounts = np.stack([np.ones_like(truth), truth, *decided, *(truth & d for d in decided)], axis=1)
    every, positive, *called_and_hits = sums(weights, known, amounts).T
    called, hits = called_and_hits[: len(decided)], called_and_hits[len(decided) :]
    for place, (scorer, answer) in enumerate(question.answers.items()):
        yield scorer, "precision", ratio(hits[place], called[place])
        yield scorer, "recall", ratio(hits[place], positive)
        yield scorer, "accuracy", ratio(every - positive - called[place] + 2 * hits[place], every)
        for metric, samples in _ranked(answer, known, truth, weights):
            yield scorer, metric, samples


def _ranked(
    answer: Answer, known: NDArray[np.intp], truth: NDArray[np.bool_], weights: NDArray[np.uint8]
) -> Iterator[tuple[str, Samples]]:
    ranking = rank(weights, known, truth, answer.scores[known])
    yield "auprc", ranking.auprc
    yield "roc_auc", ranking.roc_auc
    yield "recall_at_95_precision", ranking.precise_recall


def _means_over_labels(figures: Mapping[Key, Samples]) -> Figures:
    of_labels: dict[Key, list[Samples]] = {}
    for key, samples in figures.items():
        if key.subject in CATEGORIES:
            of_labels.setdefault(Key(key.group, key.scorer, MEAN, key.metric), []).append(samples)
    return {key: mean(samples) for key, samples in of_labels.items()}


def _means_over_sources(figures: Mapping[Key, Samples], counts: Counts) -> Figures:
    of_sources: dict[Key, list[Samples]] = {}
    for key, samples in figures.items():
        count = counts.get((key.group, key.subject))
        if key.group.source != EVERY and count is not None and count.is_enough:
            group = Group(EVERY, key.group.lengths, MEAN)
            of_sources.setdefault(Key(group, key.scorer, key.subject, key.metric), []).append(samples)
    return {key: mean(samples) for key, samples in of_sources.items()}
