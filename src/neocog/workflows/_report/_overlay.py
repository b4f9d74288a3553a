"""The curves of several runs over each other, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from neocog.workflows._report._charts import (
    _BOTTOM,
    _HEIGHT,
    _LEFT,
    _RIGHT,
    _TOP,
    _WIDTH,
    _axis,
    _grid,
)
from neocog.workflows._report._html import Markup, el

# Of runs 1, 2, …: on white and on dark paper, each with a contrast of 4.5 to 1.
_COLORS = (
    ("#1f6fb2", "#6db3ea"),
    ("#b94d18", "#f09a6b"),
    ("#176f43", "#73d2a0"),
    ("#8b3fa8", "#d59bea"),
    ("#6b6300", "#d6cc55"),
    ("#b3266b", "#f58fbf"),
)
MOST_RUNS = len(_COLORS)

STYLE = (
    ":root { " + " ".join(f"--run{i}: {light};" for i, (light, _) in enumerate(_COLORS)) + " }\n"
    "@media (prefers-color-scheme: dark) { :root { "
    + " ".join(f"--run{i}: {dark};" for i, (_, dark) in enumerate(_COLORS))
    + " } }\n"
)


def overlay(
    title: str,
    name: str,
    runs: Sequence[tuple[str, Sequence[Mapping[str, float]], int]],
    *,
    share: bool,
) -> Markup:
    """Return one chart: a value over the epochs, dashed for training, drawn through for validation.

    Args:
        title: of the chart.
        name: of the value; `val_` before it for validation.
        runs: name, values of each epoch, and number of the kept epoch (from 1, 0 for none), run by run.
        share: whether values are shares, shown in percent.
    """
    series = [
        (number, key, _points(epochs, key), best)
        for number, (_, epochs, best) in enumerate(runs)
        for key in (name, f"val_{name}")
    ]
    values = [value for _, _, points, _ in series for _, value in points]
    if not values:
        return Markup("")
    low, high, step = _axis(min(values), max(values), share)
    longest = max(len(epochs) for _, epochs, _ in runs)

    def x(index: float) -> float:
        return _LEFT + index / max(1, longest - 1) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _TOP + (high - value) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    lines = _grid(low, high, step, y, share)
    for number, key, points, best in series:
        placed = [(i + 1, x(i), y(value)) for i, value in points]
        lines += _run_line(placed, f"var(--run{number})", best, dashed=key == name)
    drawing = el(
        "svg",
        *lines,
        el("text", "1", x=_LEFT, y=_HEIGHT - 8, text_anchor="middle"),
        el("text", f"epoch {longest}", x=_WIDTH - _RIGHT, y=_HEIGHT - 8, text_anchor="end"),
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=f"{title} over the epochs of {len(runs)} runs: {', '.join(run[0] for run in runs)}",
    )
    return el("figure", el("figcaption", title), drawing)


def _run_line(
    points: Sequence[tuple[int, float, float]], color: str, best: int, *, dashed: bool
) -> list[Markup]:
    """Return the line through points (epoch, x, y), and a dot at the kept epoch."""
    line = el(
        "polyline",
        points=" ".join(f"{a:.1f},{b:.1f}" for _, a, b in points),
        fill="none",
        stroke=color,
        stroke_width=1.4 if dashed else 2,
        stroke_dasharray="4 3" if dashed else None,
    )
    dots = [el("circle", cx=f"{a:.1f}", cy=f"{b:.1f}", r=3.2, fill=color) for n, a, b in points if n == best]
    return [line, *dots]


def _points(epochs: Sequence[Mapping[str, float]], key: str) -> list[tuple[int, float]]:
    return [(i, row[key]) for i, row in enumerate(epochs) if math.isfinite(row.get(key, math.nan))]
