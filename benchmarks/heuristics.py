"""`heuristics`: plain writing and rules, by the processor's time of one text.

Texts come as in production, each for the first time, after others that have warmed the process up: what is
remembered of words counts, what would be remembered of whole texts (`screener.recent`) is not asked.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from benchmarks.messages import messages
from benchmarks.result import Effort, Line, Result, Wanted
from benchmarks.turns import Figures, in_turns, percentile
from screener.heuristics import Heuristics, Rules

LONGEST = 10_000
"""Characters, the most that an event may have."""

_COMMENT = 500
"""Characters from which on a message is somebody's long comment."""

_WARM_UP, _A_ROUND, _LONG = 4_000, 2_000, 20


async def measure(effort: Effort) -> Result:
    """Measures in this process; nothing is started.

    Raises:
        RuntimeError: equal texts were judged differently.
    """
    rules = Heuristics(Rules.load())
    warm_up, a_round, long = (50, 50, 2) if effort.brief else (_WARM_UP, _A_ROUND, _LONG)
    texts = messages(warm_up + a_round * effort.rounds)
    for text in texts[:warm_up]:
        rules.score_text(text)
    fresh = iter(texts[warm_up:])

    async def short() -> Figures:
        us = [_us(rules, text) for text in [next(fresh) for _ in range(a_round)]]
        return {
            "median_us": percentile(us, 0.5),
            "mean_us": sum(us) / len(us),
            "p99_us": percentile(us, 0.99),
        }

    async def longest() -> Figures:
        chance = random.Random(long)  # noqa: S311  # no secret
        comments = [text for text in texts if len(text) >= _COMMENT] or texts
        return {
            f"{kind}_ms": percentile([_us(rules, _long_text(of, chance)) for _ in range(long)], 0.5) / 1_000
            for kind, of in (("comments", comments), ("messages", texts))
        }

    found = await in_turns({"short": short, "long": longest}, rounds=effort.rounds)
    if rules.score_text(texts[0]) != Heuristics(rules.rules).score_text(texts[0]):
        raise RuntimeError("equal texts were judged differently")
    return Result(
        "heuristics",
        (
            Line("a median message, µs", found["short"]["median_us"], wanted=(Wanted(most=50),)),
            Line("a mean message, µs", found["short"]["mean_us"]),
            Line("99 of 100 messages, µs at most", found["short"]["p99_us"]),
            Line(
                f"{LONGEST:,} characters of long comments, ms",
                found["long"]["comments_ms"],
                wanted=(Wanted(most=5),),
            ),
            Line(f"{LONGEST:,} characters of messages of all kinds, ms", found["long"]["messages_ms"]),
        ),
        {"median characters": percentile([len(text) for text in texts], 0.5), "texts a round": a_round},
    )


def _us(rules: Heuristics, text: str) -> float:
    began = time.process_time_ns()
    rules.score_text(text)
    return (time.process_time_ns() - began) / 1_000


def _long_text(texts: Sequence[str], chance: random.Random) -> str:
    """Texts one after the other, as long as an event may be."""
    parts: list[str] = []
    length = 0
    while length < LONGEST:
        parts.append(chance.choice(texts))
        length += len(parts[-1]) + 1
    return " ".join(parts)[:LONGEST]
