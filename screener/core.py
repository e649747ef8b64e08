"""`ScreeningCore`: a batch of events in, a batch of verdicts out. The one way that every event is judged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.event import NO_METADATA, Event
from pipeline.fingerprint import Digests
from pipeline.verdict import Flag, Timings, Verdict
from screener.encoder import Encoded, Encoder
from screener.fusion import Judgement, Policy, Scale, judge_degraded
from screener.heuristics import Context, Heuristics
from screener.judgements import Basis, Finding, Judgements
from screener.similarity.comparison import Comparison
from screener.similarity.neighbourhood import ALONE, Neighbourhood, Utterance
from screener.similarity.seen import NOTHING_SAID, Said
from screener.text_facts import TextFacts, TextReader, plain_text


class Screened(NamedTuple):
    """A verdict and, unless it is degraded, what it rests on: the float32 [384] embedding, and the basis.

    `said` is what the index is told beside the embedding; `utterance` is what it was asked, if it was.
    """

    verdict: Verdict
    embedding: NDArray[np.float32] | None
    basis: Basis | None = None
    said: Said = NOTHING_SAID
    utterance: Utterance | None = None


@dataclass(frozen=True, slots=True)
class Similarity:
    """Who knows earlier events, and what tells authors and texts apart."""

    comparison: Comparison
    digests: Digests


@dataclass(frozen=True, slots=True)
class ModelUsed:
    """Which model a verdict rests on."""

    name: str
    version: int = 0
    cache_hit: bool = False
    degraded: bool = False


class ScreeningCore:
    """Encodes, scores, compares and judges; publishes nothing, and remembers texts for a minute alone."""

    def __init__(
        self,
        *,
        encoder: Encoder,
        heuristics: Callable[[], Heuristics],
        policy: Policy,
        model_name: str,
        similarity: Similarity | None,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Takes the parts; `heuristics` gives the rules of now, without `similarity` all are judged alone."""
        self._encoder = encoder
        self._heuristics = heuristics
        self._policy = policy
        self._model_name = model_name
        self._similarity = similarity
        self._reader = TextReader(similarity.digests if similarity else None)
        self._judgements = Judgements()
        self._clock_ms = clock_ms

    async def screen(self, events: Sequence[Event], *, timeout_s: float) -> list[Screened]:
        """Judges valid events; results in order, all from one model version. Equal texts are computed once.

        Args:
            events: valid events.
            timeout_s: most time for the model.

        Raises:
            ModelUnavailable: Triton is away, loading, or too slow.
            ModelOutputInvalid: the model answered nonsense.
        """
        started = time.perf_counter()
        distinct = {text: row for row, text in enumerate(dict.fromkeys([event.content for event in events]))}
        rows = [distinct[event.content] for event in events]
        rules = self._heuristics()
        encoded, texts, heuristics_ms = await self._encode_and_score(list(distinct), rules, timeout_s)
        compared_from = time.perf_counter()
        utterances = self._utterances(events, rows, texts)
        near = await self._compare(rows, encoded, utterances)
        timings = Timings(
            cache_ms=encoded.cache_ms,
            model_ms=encoded.model_ms,
            similarity_ms=(time.perf_counter() - compared_from) * 1000,
            heuristics_ms=heuristics_ms,
        )
        findings = self._judged(events, rows, near, texts, rules=rules, encoded=encoded)
        timings = replace(timings, total_ms=(time.perf_counter() - started) * 1000)
        now_ms = self._clock_ms()
        models = [ModelUsed(self._model_name, encoded.version, hit) for hit in encoded.cached.tolist()]
        return [
            Screened(
                _verdict(
                    event,
                    judgement,
                    flags=basis.heuristics.flags,
                    near=nearby,
                    model=models[row],
                    timings=timings,
                    screened_at_ms=now_ms,
                ),
                encoded.embeddings[row],
                basis,
                nearby.said,
                utterance,
            )
            for event, row, nearby, (judgement, basis), utterance in zip(
                events, rows, near, findings, utterances, strict=True
            )
        ]

    def screen_degraded(self, events: Sequence[Event]) -> list[Screened]:
        """Judges by the rules alone, for when the model is away and the operator prefers that to waiting."""
        started = time.perf_counter()
        rules = self._heuristics()
        results = [
            rules.with_context(rules.score_text(event.content), _context(event, ALONE)) for event in events
        ]
        elapsed_ms = (time.perf_counter() - started) * 1000
        now_ms = self._clock_ms()
        return [
            Screened(
                _verdict(
                    event,
                    judge_degraded(result, self._policy),
                    flags=result.flags,
                    near=ALONE,
                    model=ModelUsed(self._model_name, degraded=True),
                    timings=Timings(heuristics_ms=elapsed_ms, total_ms=elapsed_ms),
                    screened_at_ms=now_ms,
                ),
                None,
            )
            for event, result in zip(events, results, strict=True)
        ]

    async def _encode_and_score(
        self, texts: list[str], rules: Heuristics, timeout_s: float
    ) -> tuple[Encoded, list[TextFacts], float]:
        now_ms = time.monotonic_ns() // 1_000_000
        self._judgements.turn(now_ms)
        begun = self._reader.begin(texts, rules, now_ms=now_ms)
        encoding = asyncio.create_task(
            self._encoder.encode([plain_text(known) for known in begun], timeout_s=timeout_s)
        )
        try:
            await asyncio.sleep(0)  # sends the request off before the rules take the processor
            started = time.perf_counter()
            facts = self._reader.finish(texts, begun, rules)
            heuristics_ms = (time.perf_counter() - started) * 1000
            return await encoding, facts, heuristics_ms
        finally:
            encoding.cancel()

    def _utterances(
        self, events: Sequence[Event], rows: Sequence[int], texts: Sequence[TextFacts]
    ) -> Sequence[Utterance | None]:
        if self._similarity is None:
            return [None] * len(events)
        now_ms = self._clock_ms()
        author = self._similarity.digests.author
        return [
            Utterance(
                author(event.platform, event.author_id),
                facts.digest,
                facts.informative,
                facts.score.solicits,
                now_ms,
            )
            for event, facts in zip(events, map(texts.__getitem__, rows), strict=True)
        ]

    async def _compare(
        self, rows: Sequence[int], encoded: Encoded, utterances: Sequence[Utterance | None]
    ) -> list[Neighbourhood]:
        if self._similarity is None:
            return [ALONE] * len(rows)
        return await self._similarity.comparison.compare(
            encoded.embeddings,
            rows,
            [utterance for utterance in utterances if utterance is not None],
            version=encoded.version,
        )

    def _judged(
        self,
        events: Sequence[Event],
        rows: Sequence[int],
        near: Sequence[Neighbourhood],
        texts: Sequence[TextFacts],
        *,
        rules: Heuristics,
        encoded: Encoded,
    ) -> list[Finding]:
        """One for each event; those that say the same, and whose context says the same of it, share one."""
        scale = Scale.of(self._policy, encoded.thresholds)
        probabilities = list(map(tuple, encoded.probabilities.tolist()))
        judged = self._judgements.judged
        findings = []
        for event, row, nearby in zip(events, rows, near, strict=True):
            facts = texts[row]
            alone = event.metadata is NO_METADATA and not nearby.near_duplicates
            added = () if alone else rules.flags_of_context(facts.score, _context(event, nearby))
            findings.append(
                judged(
                    event.content,
                    facts,
                    added,
                    probabilities=probabilities[row],
                    thresholds=encoded.thresholds,
                    scale=scale,
                )
            )
        return findings


def _context(event: Event, near: Neighbourhood) -> Context:
    return Context(
        author_reputation=event.metadata.author_reputation,
        channel_history_count=event.metadata.channel_history_count,
        near_duplicates=near.near_duplicates,
    )


def _verdict(
    event: Event,
    judgement: Judgement,
    *,
    flags: tuple[Flag, ...],
    near: Neighbourhood,
    model: ModelUsed,
    timings: Timings,
    screened_at_ms: int,
) -> Verdict:
    return Verdict(
        event_id=event.event_id,
        platform=event.platform,
        channel_id=event.channel_id,
        author_id=event.author_id,
        risk_score=judgement.risk_score,
        labels=judgement.labels,
        category=judgement.category,
        confidence=judgement.confidence,
        scores=judgement.scores,
        heuristic_score=judgement.heuristic_score,
        model_score=judgement.model_score,
        flags=flags,
        similar_events=near.similar,
        campaign=near.campaign,
        route=judgement.route,
        model_name=model.name,
        model_version=model.version,
        cache_hit=model.cache_hit,
        degraded=model.degraded,
        screened_at_ms=screened_at_ms,
        timings=timings,
    )
