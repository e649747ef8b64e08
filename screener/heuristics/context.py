"""Rules on what is known beside the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from screener.heuristics.result import Context, TextScore


def low_reputation(context: Context, _text: TextScore, limits: Mapping[str, float]) -> bool:
    """The author's standing is known, and below `below`."""
    return context.author_reputation is not None and context.author_reputation < limits["below"]


def newcomer_solicits(context: Context, text: TextScore, limits: Mapping[str, float]) -> bool:
    """Somebody with at most `messages` earlier messages in the channel draws its readers somewhere else."""
    count = context.channel_history_count
    return text.solicits and count is not None and count <= limits["messages"]


def near_duplicate_flood(context: Context, text: TextScore, limits: Mapping[str, float]) -> bool:
    """At least `copies` near-identical texts of at least `words` words: a short "gg" is said by everybody."""
    return context.near_duplicates >= limits["copies"] and text.words >= limits["words"]


CONTEXT_RULES: Mapping[
    str, tuple[Callable[[Context, TextScore, Mapping[str, float]], bool], frozenset[str]]
] = {
    "low_reputation": (low_reputation, frozenset({"below"})),
    "near_duplicate_flood": (near_duplicate_flood, frozenset({"copies", "words"})),
    "near_duplicate_wave": (near_duplicate_flood, frozenset({"copies", "words"})),
    "newcomer_solicits": (newcomer_solicits, frozenset({"messages"})),
}
"""The rules of this kind by name, with the limits that the rules file must give."""
