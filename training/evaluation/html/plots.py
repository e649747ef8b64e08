"""Plots as inline SVG, in the colours of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from training.evaluation.calibration import Bin
from training.evaluation.evaluation import Curve
from training.evaluation.html.elements import Child, Element, tag
from training.evaluation.html.words import number
from training.evaluation.resampling import Figure
from training.evaluation.scored import Scorer

_WIDTH, _HEIGHT = 300, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 8, 34
_ROW = 19
_NAME_WIDTH, _NUMBER_WIDTH = 122, 40
_TENTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
_ROOTS = (0.0, 0.02, 0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Bar:
    """A named bar; `base` is where chance would end it, `is_few` fades what rests on few rows."""

    name: str
    figure: Figure
    base: float | None = None
    is_few: bool = False


def precision_recall(
    name: str,
    curves: Mapping[Scorer, Curve],
    in_service: Mapping[Scorer, tuple[float, float]],
    base: float,
) -> Element:
    """Precision over recall of each scorer; a dot marks the threshold in service, a dashed line chance."""
    drawn: list[Child] = []
    for scorer, curve in curves.items():
        steps = " ".join(
            f"{'M' if not place else 'L'}{_x(recall):.1f} {_y(precision):.1f}"
            for place, (recall, precision) in enumerate(curve)
        )
        drawn.append(tag("path", d=steps, class_=f"series {scorer.value}") if steps else None)
    for scorer, (recall, precision) in in_service.items():
        drawn.append(tag("circle", cx=_x(recall), cy=_y(precision), r=3.5, class_=f"series {scorer.value}"))
    chance = tag("line", x1=_x(0), x2=_x(1), y1=_y(base), y2=_y(base), class_="base")
    return _svg(
        _HEIGHT, f"precision over recall, {name}", _square("recall", "precision", _TENTHS), chance, drawn
    )


def reliability(name: str, bins: Sequence[Bin]) -> Element:
    """The share that came true over the probability, on square-root axes: most probabilities are small."""
    diagonal = tag("line", x1=_x(0), y1=_y(0), x2=_x(1), y2=_y(1), class_="base")
    drawn: list[Child] = []
    for part in bins:
        x = _x(sqrt(part.probability))
        low, high = _y(sqrt(part.low)), _y(sqrt(part.high))
        drawn.append(tag("line", x1=x, x2=x, y1=low, y2=high, class_="whisker"))
        drawn.append(tag("circle", cx=x, cy=_y(sqrt(part.share)), r=3, class_="series fused"))
    frame = _square("probability", "came true", _ROOTS, root=True)
    return _svg(_HEIGHT, f"calibration, {name}", frame, diagonal, drawn)


def bars(name: str, of: Sequence[Bar]) -> Element:
    """Bars from 0 to 1 with their intervals; a dashed stroke in each marks chance."""
    width = _WIDTH - _NAME_WIDTH - _NUMBER_WIDTH
    drawn: list[Child] = []
    for place, bar in enumerate(of):
        y = place * _ROW + _ROW / 2
        parts: list[Child] = [
            tag("text", bar.name, x=_NAME_WIDTH - 6, y=y + 4, text_anchor="end", class_="name"),
            tag("text", number(bar.figure.value), x=_WIDTH, y=y + 4, text_anchor="end"),
            tag(
                "rect",
                x=_NAME_WIDTH,
                y=y - 5,
                width=(bar.figure.value or 0) * width,
                height=10,
                rx=2,
                class_="series fused",
            ),
            _whisker(bar.figure, y, lambda value: _NAME_WIDTH + value * width),
        ]
        if bar.base is not None:
            x = _NAME_WIDTH + bar.base * width
            parts.append(tag("line", x1=x, x2=x, y1=y - 8, y2=y + 8, class_="base"))
        drawn.append(tag("g", parts, class_="few" if bar.is_few else "enough"))
    return _svg(len(of) * _ROW + 4, name, drawn)


def differences(name: str, of: Sequence[Bar]) -> Element:
    """Differences with their intervals around a line at 0."""
    ends = [
        abs(end)
        for bar in of
        for end in (bar.figure.low, bar.figure.high, bar.figure.value)
        if end is not None
    ]
    reach = max([*ends, 0.01])
    width = _WIDTH - _NAME_WIDTH - _NUMBER_WIDTH - 12

    def at(value: float) -> float:
        return _NAME_WIDTH + 6 + (value / reach + 1) / 2 * width

    drawn: list[Child] = [tag("line", x1=at(0), x2=at(0), y1=0, y2=len(of) * _ROW, class_="base")]
    for place, bar in enumerate(of):
        y = place * _ROW + _ROW / 2
        drawn += [
            tag("text", bar.name, x=_NAME_WIDTH - 6, y=y + 4, text_anchor="end", class_="name"),
            tag("text", number(bar.figure.value, "+.3f"), x=_WIDTH, y=y + 4, text_anchor="end"),
            _whisker(bar.figure, y, at),
            tag("circle", cx=at(bar.figure.value or 0), cy=y, r=4, class_="series fused"),
        ]
    return _svg(len(of) * _ROW + 4, name, drawn)


def _whisker(figure: Figure, y: float, at: Callable[[float], float]) -> Element | None:
    if figure.low is None or figure.high is None:
        return None
    return tag("line", x1=at(figure.low), x2=at(figure.high), y1=y, y2=y, class_="whisker")


def _svg(height: float, label: str, *children: Child) -> Element:
    return tag("svg", *children, viewBox=f"0 0 {_WIDTH} {height:g}", role="img", aria_label=label)


def _square(across: str, up: str, ticks: Sequence[float], *, root: bool = False) -> list[Child]:
    """The frame of a plot from 0 to 1 on both axes, with names and ticks."""
    frame: list[Child] = [
        tag("path", d=f"M{_x(0)} {_y(1)}V{_y(0)}H{_x(1)}", class_="axis"),
        tag("text", across, x=_x(0.5), y=_HEIGHT - 4, text_anchor="middle"),
        tag("text", up, transform=f"translate(9 {_y(0.5):g}) rotate(-90)", text_anchor="middle"),
    ]
    for tick in ticks:
        place, told = (sqrt(tick) if root else tick), f"{tick:g}"
        frame.append(tag("text", told, x=_x(place), y=_y(0) + 14, text_anchor="middle"))
        if tick:
            frame.append(tag("text", told, x=_x(0) - 4, y=_y(place) + 4, text_anchor="end"))
    return frame


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)
