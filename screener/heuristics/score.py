"""The rules at work: content and context in, score, flags and evidence out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from operator import itemgetter

from pipeline.verdict import Category, Flag
from screener.heuristics.context import CONTEXT_RULES
from screener.heuristics.phrases import Match
from screener.heuristics.quotation import quotations
from screener.heuristics.result import NO_EVIDENCE, Context, HeuristicResult, TextScore
from screener.heuristics.rules import ALLOW, Rule, Rules
from screener.heuristics.rules_file import DISGUISED
from screener.heuristics.shape_rules import ShapeRules
from screener.text import Draft, Normalised, normalise_revealed, reveal

MOST_FLAGS = 8
"""Matches of one rule that are told; what follows them adds nothing that an analyst needs."""

DOUBT = 0.5
"""Share of its weight that a rule keeps where the rest of the text speaks against it."""

_NO_CONTEXT = Context()


class Heuristics:
    """Scores texts by rules. Pure: the result depends on the rules, the content and the context only."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._shapes = ShapeRules(rules)
        self._context = [
            (_flag_of(rules.rules[name]), holds, rules.rules[name].shape.limits)
            for name, (holds, _) in CONTEXT_RULES.items()
            if rules.rules[name].weight
        ]
        self._combined = [rule for rule in rules.rules.values() if rule.together]

    def score(self, content: str, context: Context = _NO_CONTEXT) -> HeuristicResult:
        """Score one event."""
        return self.with_context(self.score_text(content), context)

    def score_text(self, content: str) -> TextScore:
        """Score the text alone; linear in its length."""
        return self.score_revealed(content, self.reveal(content))

    def reveal(self, content: str) -> Draft:
        """The content in plain writing, as far as the rules' vocabulary tells."""
        return reveal(content, self.rules.vocabulary)

    def score_revealed(self, content: str, revealed: Draft) -> TextScore:
        """As `score_text`, of content that `reveal` has put into plain writing already."""
        text = normalise_revealed(content, revealed, self.rules.vocabulary)
        spans: dict[str, Sequence[tuple[int, int]]] = {}
        for rule, find in self._shapes.worth_asking(text):
            found = find(content, text, rule.shape)
            if found:
                spans[rule.name] = found
        matches = self.rules.phrases.find(text.words)
        if matches:
            spans |= self._phrase_spans(text, matches)
        if len(spans) > 1:
            spans |= self._combined_spans(spans)
        return self._text_score(content, spans, words=len(text.words))

    def with_context(self, text: TextScore, context: Context) -> HeuristicResult:
        """Add what the context says to a text's score."""
        return with_flags(text, self.flags_of_context(text, context))

    def flags_of_context(self, text: TextScore, context: Context) -> tuple[Flag, ...]:
        """What the context says of an event with this text; mostly nothing."""
        if context == _NO_CONTEXT:
            return ()
        return tuple([flag for flag, holds, limits in self._context if holds(context, text, limits)])

    def _phrase_spans(
        self, text: Normalised, matches: Sequence[Match]
    ) -> dict[str, Sequence[tuple[int, int]]]:
        allowed = _covered(match for match in matches if ALLOW in match.names)
        ranges: dict[str, list[tuple[int, int]]] = {}
        for match in matches:
            if allowed.isdisjoint(range(match.first, match.last + 1)):
                for name in match.names:
                    if name != ALLOW:
                        _extend(ranges.setdefault(name, []), match)
        if not ranges:
            return {}
        places = text.spans
        harmful = _covered_ranges(
            span for name, found in ranges.items() for span in found if self._is_harmful(name)
        )
        spans: dict[str, Sequence[tuple[int, int]]] = {
            name: [(places[first][0], places[last][1]) for first, last in found]
            for name, found in ranges.items()
        }
        disguised = sorted(harmful & text.disguised)
        if disguised:
            spans[DISGUISED] = [places[index] for index in disguised]
        return spans

    def _combined_spans(
        self, spans: Mapping[str, Sequence[tuple[int, int]]]
    ) -> dict[str, Sequence[tuple[int, int]]]:
        """The rules that fire because others do, each on the first match of its first group."""
        combined: dict[str, Sequence[tuple[int, int]]] = {}
        for rule in self._combined:
            firsts = [next((name for name in group if name in spans), None) for group in rule.together]
            if firsts[0] is not None and None not in firsts:
                combined[rule.name] = spans[firsts[0]][:1]
        return combined

    def _is_harmful(self, name: str) -> bool:
        return self.rules.rules[name].category is not Category.UNSPECIFIED

    def _text_score(
        self, content: str, spans: Mapping[str, Sequence[tuple[int, int]]], *, words: int
    ) -> TextScore:
        if not spans:
            return TextScore((), NO_EVIDENCE, words, solicits=False)
        flags: list[Flag] = []
        quoted = quotations(content)
        evidence: Sequence[float] = NO_EVIDENCE
        solicits = False
        for name, found in spans.items():
            rule = self.rules.rules[name]
            if not rule.weight:
                continue  # switched off
            doubtful = rule.category is not Category.UNSPECIFIED and (
                not spans.keys().isdisjoint(rule.unless) or _all_quoted(found, quoted)
            )
            flags += _flags(rule, found, rule.weight * DOUBT if doubtful else rule.weight)
            if not doubtful:
                evidence = [max(pair) for pair in zip(evidence, rule.evidence, strict=True)]
            solicits = solicits or rule.solicits
        flags.sort(key=lambda flag: (flag.start, flag.end, flag.rule))
        return TextScore(flags=tuple(flags), evidence=tuple(evidence), words=words, solicits=solicits)


def _flag_of(rule: Rule) -> Flag:
    """That of a rule that matches no text."""
    return Flag(rule.name, rule.weight, 0, 0, rule.category)


def with_flags(text: TextScore, added: tuple[Flag, ...]) -> HeuristicResult:
    """A text's score with flags that are not of the text."""
    flags = (*added, *text.flags)
    score = 1.0 - prod([1.0 - flag.weight for flag in flags])
    return HeuristicResult(score=score, flags=flags, evidence=text.evidence)


def _all_quoted(found: Sequence[tuple[int, int]], quoted: Sequence[tuple[int, int]]) -> bool:
    """Whether each span lies in a quotation; these are in order and do not overlap."""
    if not quoted:
        return False
    before = [bisect_right(quoted, start, key=itemgetter(0)) - 1 for start, _ in found]
    return all(place >= 0 and end <= quoted[place][1] for place, (_, end) in zip(before, found, strict=True))


def _flags(rule: Rule, spans: Sequence[tuple[int, int]], weight: float) -> list[Flag]:
    return [
        Flag(rule.name, 0.0 if place else weight, start, end, rule.category)
        for place, (start, end) in enumerate(spans[:MOST_FLAGS])
    ]


def _extend(ranges: list[tuple[int, int]], match: Match) -> None:
    """Keep a rule's longest matches: those that overlap become the one that covers them."""
    if ranges and match.first <= ranges[-1][1]:
        ranges[-1] = ranges[-1][0], max(ranges[-1][1], match.last)
    else:
        ranges.append((match.first, match.last))


def _covered(matches: Iterable[Match]) -> set[int]:
    return _covered_ranges((match.first, match.last) for match in matches)


def _covered_ranges(ranges: Iterable[tuple[int, int]]) -> set[int]:
    return {index for first, last in ranges for index in range(first, last + 1)}
