"""Drawings of the report as inline SVG: the accuracy on its scale, the learning curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from neocog.workflows._percent import percent
from neocog.workflows._report._html import Markup, el, join
from neocog.workflows._scores import Scores

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 420, 230, 46, 10, 10, 26


def accuracy_scale(scores: Scores) -> Markup:
    """Return the accuracy with its interval on a line from 0 to 100 %, and what guessing would reach."""
    width, left, right = 736, 8, 728

    def x(share: float) -> str:
        return f"{left + share * (right - left):.1f}"

    label = (
        f"Accuracy {percent(scores.accuracy)}, 95 % interval {percent(scores.low)} to "
        f"{percent(scores.high)}; guessing the most frequent class would reach {percent(scores.majority)}"
    )
    ticks = [
        join(
            el("line", x1=x(share), x2=x(share), y1=26, y2=30, stroke="var(--line)"),
            el("text", f"{share:.0%}", x=x(share), y=44, text_anchor=_anchor(share)),
        )
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    guess = x(scores.majority)
    band = {"x": x(scores.low), "width": f"{max((scores.high - scores.low) * (right - left), 2):.1f}"}
    drawing = el(
        "svg",
        el("line", x1=left, x2=right, y1=22, y2=22, stroke="var(--line)", stroke_width=8),
        *ticks,
        el("line", x1=guess, x2=guess, y1=12, y2=30, stroke="var(--soft)", stroke_dasharray="3 2"),
        el("text", "guessing", x=guess, y=9, text_anchor=_anchor_of_words(scores.majority)),
        el("rect", **band, y=17, height=10, rx=3, fill="var(--train)", fill_opacity=0.4),
        el("circle", cx=x(scores.accuracy), cy=22, r=6, fill="var(--train)"),
        viewBox=f"0 -8 {width} 58",
        role="img",
        aria_label=label,
    )
    return el("div", drawing, class_="scale")


def _anchor(share: float) -> str:
    return "start" if share == 0 else "end" if share == 1 else "middle"


def _anchor_of_words(share: float) -> str:
    """Return where words beside a mark stand so that they stay in the drawing, in a telephone's size too."""
    return "start" if share < 0.07 else "end" if share > 0.93 else "middle"


def curve(title: str, name: str, epochs: Sequence[Mapping[str, float]], best: int, *, share: bool) -> Markup:
    """Return one chart: a value over the epochs, for training and validation, with the kept epoch marked.

    Args:
        title: of the chart.
        name: of the value; `val_` before it for validation.
        epochs: values of each epoch.
        best: number of the kept epoch, from 1.
        share: whether values are shares, shown in percent.
    """
    series = {
        color: [(i, row[key]) for i, row in enumerate(epochs) if math.isfinite(row.get(key, math.nan))]
        for color, key in (("train", name), ("validation", f"val_{name}"))
    }
    values = [value for points in series.values() for _, value in points]
    if not values:
        return Markup("")
    low, high, step = _axis(min(values), max(values), share)

    def x(index: float) -> float:
        return _LEFT + index / max(1, len(epochs) - 1) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    lines = _grid(low, high, step, y, share)
    if best:
        at = f"{x(best - 1):.1f}"
        lines.append(el("line", x1=at, x2=at, y1=_TOP, y2=_HEIGHT - _BOTTOM, stroke="var(--soft)",
                        stroke_dasharray="3 3"))  # fmt: skip
    for color, points in series.items():
        lines.append(_line([(x(i), y(value)) for i, value in points], color))
    ends = [
        f"{'training' if color == 'train' else 'validation'} {_written(points[-1][1], share, 0.001)}"
        for color, points in series.items()
        if points
    ]
    drawing = el(
        "svg",
        *lines,
        el("text", "1", x=_LEFT, y=_HEIGHT - 8, text_anchor="middle"),
        el("text", f"epoch {len(epochs)}", x=_WIDTH - _RIGHT, y=_HEIGHT - 8, text_anchor="end"),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=f"{title} over {len(epochs)} epochs; at the end {', '.join(ends)}",
    )
    return el("figure", el("figcaption", title), drawing)


def _grid(low: float, high: float, step: float, y: Callable[[float], float], share: bool) -> list[Markup]:
    """Return the horizontal lines of a chart and the values beside them."""
    lines = []
    for number in range(round((high - low) / step) + 1):
        value = low + number * step
        height = f"{y(value):.1f}"
        lines.append(el("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=height, y2=height, stroke="var(--line)"))
        written = _written(value, share, step)
        lines.append(el("text", written, x=_LEFT - 6, y=f"{y(value) + 4:.1f}", text_anchor="end"))
    return lines


def _line(points: Sequence[tuple[float, float]], color: str) -> Markup:
    if len(points) == 1:
        return el("circle", cx=f"{points[0][0]:.1f}", cy=f"{points[0][1]:.1f}", r=3, fill=f"var(--{color})")
    joined = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    return el("polyline", points=joined, fill="none", stroke=f"var(--{color})", stroke_width=2)


def _axis(low: float, high: float, share: bool) -> tuple[float, float, float]:
    """Return round ends of an axis and the step between its lines."""
    low = low if share else min(low, 0.0)  # an R² below that of the mean is negative
    span = max(high - low, 0.02 if share else 1e-3)
    rough = span / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    low = math.floor(low / step + 1e-9) * step
    high = math.ceil(max(high, low + step) / step - 1e-9) * step
    return (1 - (high - low), 1.0, step) if share and high > 1 else (low, high, step)


def _written(value: float, share: bool, step: float) -> str:
    """Return a value with as many decimals as tell it from its neighbours a step away."""
    value, step = (100 * value, 100 * step) if share else (value, step)
    if abs(value) >= 1e5:
        return f"{value:.3g}"
    decimals = max(0, -math.floor(math.log10(step)))
    if abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6:
        decimals += 1  # steps of 2.5
    return f"{round(value, decimals) + 0.0:.{decimals}f}{' %' if share else ''}"
