"""The policy as an operator writes it: the texts of `SCREENING_WEIGHTS` and `CATEGORY_THRESHOLDS`."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.verdict import HARMFUL
from screener.fusion import MODEL_S_OWN, Overrides

_PARTS = ("heuristics", "model")
_CATEGORIES = tuple(category.name for category in HARMFUL)
_ANY = "ANY"
_OUTPUTS = (*_CATEGORIES, _ANY)

_WEIGHTS_ALLOWED = (
    "two weights from 0 to 1, together above 0 and at most 1, as in 0.6,0.4 or heuristics=0.6,model=0.4"
)
_THRESHOLDS_ALLOWED = (
    "<category>=<label>/<escalation>, comma-separated, each above 0 and at most 1, either of the two alone, "
    "as in SPAM=0.5/0.95,TOXIC=0.6,SEXUAL=/0.9"
)


def parse_weights(text: str) -> tuple[float, float]:
    """The weights of the rules and of the model.

    Raises:
        ValueError: says what is allowed, and which part is wrong.
    """
    weights: dict[str, float] = {}
    for place, part in enumerate(_parts(text)):
        name, equals, written = part.rpartition("=")
        name = name.strip().lower() if equals else _PARTS[place] if place < len(_PARTS) else ""
        if name not in _PARTS or name in weights:
            raise ValueError(f"{_WEIGHTS_ALLOWED}; not {part!r}")
        weights[name] = _number(written, part, lowest=0.0, allowed=_WEIGHTS_ALLOWED)
    missing = [name for name in _PARTS if name not in weights]
    if missing:
        raise ValueError(f"{_WEIGHTS_ALLOWED}; the weight of {missing[0]} is missing")
    if not 0.0 < sum(weights.values()) <= 1.0 + 1e-9:  # 0.7 + 0.3 and the like may round above 1
        raise ValueError(f"{_WEIGHTS_ALLOWED}; these make {sum(weights.values()):g}")
    return weights["heuristics"], weights["model"]


def parse_category_thresholds(text: str) -> Overrides:
    """The thresholds that override the model's own; an empty text overrides none.

    Raises:
        ValueError: says what is allowed, and which part is wrong.
    """
    label, escalation = list(MODEL_S_OWN.label), list(MODEL_S_OWN.escalation)
    seen: set[str] = set()
    for part in _parts(text):
        name, _, written = (piece.strip() for piece in part.partition("="))
        name = name.upper()
        if name not in _OUTPUTS or name in seen:
            fault = "named twice" if name in seen else "categories are " + ", ".join(_OUTPUTS)
            raise ValueError(f"{_THRESHOLDS_ALLOWED}; not {part!r}: {fault}")
        seen.add(name)
        first, _, second = (piece.strip() for piece in written.partition("/"))
        if not first and not second:
            raise ValueError(f"{_THRESHOLDS_ALLOWED}; not {part!r}: no threshold")
        if first and name == _ANY:
            raise ValueError(f"{_THRESHOLDS_ALLOWED}; not {part!r}: {_ANY} is no label, it only escalates")
        place = _OUTPUTS.index(name)
        if first:
            label[place] = _number(first, part, lowest=1e-6, allowed=_THRESHOLDS_ALLOWED)
        if second:
            escalation[place] = _number(second, part, lowest=1e-6, allowed=_THRESHOLDS_ALLOWED)
    return Overrides(tuple(label), tuple(escalation))


def _parts(text: str) -> Iterable[str]:
    return (part.strip() for part in text.split(",")) if text.strip() else ()


def _number(written: str, part: str, *, lowest: float, allowed: str) -> float:
    try:
        number = float(written)
    except ValueError:
        raise ValueError(f"{allowed}; not {part!r}") from None
    if not lowest <= number <= 1.0:  # NaN compares false
        raise ValueError(f"{allowed}; not {part!r}")
    return number
