"""Why a verdict is what it is, in few words."""

from __future__ import annotations

from pipeline.verdict import Category, Verdict

_FLAGS = 2
_SPAN_CHARS = 18


def why(verdict: Verdict, content: str) -> str:
    """The strongest rules and what they matched, the nearest earlier event, the campaign; else the model."""
    reasons = []
    # What was said tells more than who said it: rules that matched no text come last.
    for flag in sorted(verdict.flags, key=lambda f: (f.start == f.end, -f.weight))[:_FLAGS]:
        span = one_line(content[flag.start : flag.end])
        reasons.append(f"{flag.rule} “{shortened(span, _SPAN_CHARS)}”" if span else flag.rule)
    if verdict.campaign is not None:
        reasons.append(f"campaign of {verdict.campaign.size} by {verdict.campaign.authors} authors")
    if verdict.similar_events:
        nearest = verdict.similar_events[0]
        reasons.append(f"like {nearest.event_id} ({nearest.cosine:.2f})")
    if not reasons and verdict.category is not Category.LOW_RISK:
        reasons.append(f"the model's judgement ({verdict.model_score:.2f})")
    if verdict.degraded:
        reasons.append("rules alone, no model")
    return ", ".join(reasons)


def one_line(text: str) -> str:
    """The text without line breaks and control characters, which would spoil a table or drive a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def shortened(text: str, width: int) -> str:
    """At most `width` characters, an ellipsis where some are left out."""
    return text if len(text) <= width else text[: width - 1] + "…"
