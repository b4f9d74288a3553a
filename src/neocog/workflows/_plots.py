"""The pictures of a run: curves and confusion matrix as PNG."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neocog.core import atomic_path

_TRAIN, _VALIDATION, _BEST = "#1f6fb2", "#c8561f", "#5d6878"
_MOST_CLASSES_WITH_NUMBERS = 20
_MOST_CLASSES_WITH_NAMES = 60
_MOST_TARGETS = 6


def draw_curves(
    path: Path, epochs: Sequence[Mapping[str, float]], best_epoch: int, metric: str = "accuracy"
) -> None:
    """Draw a metric and the loss over the epochs, for training and validation, with the kept epoch marked."""
    figure, axes = _figure(2, (10, 4))
    for axis, name in zip(axes, (metric, "loss"), strict=True):
        for key, color, label in ((name, _TRAIN, "training"), (f"val_{name}", _VALIDATION, "validation")):
            points = [(i + 1, row[key]) for i, row in enumerate(epochs) if key in row]
            if points:
                axis.plot(*zip(*points, strict=True), color=color, label=label, marker=".", markersize=4)
        if best_epoch:
            axis.axvline(best_epoch, color=_BEST, linestyle=":", linewidth=1, label="kept")
        axis.set_xlabel("epoch")
        axis.set_title({"macro_f1": "macro F1", "r2": "R²"}.get(name, name))
        axis.grid(alpha=0.3)
        if epochs:
            axis.legend(frameon=False)
    _save(figure, path)


def draw_confusion(path: Path, confusion: Sequence[Sequence[int]], class_names: Sequence[str]) -> None:
    """Draw the confusion matrix: rows are the true classes, columns the predicted ones."""
    count = len(class_names)
    side = min(16.0, 3 + 0.45 * count)
    figure, (axis,) = _figure(1, (side, side))
    shares = [[value / max(1, sum(row)) for value in row] for row in confusion]
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if count <= _MOST_CLASSES_WITH_NAMES:
        names = [_plain(name) for name in class_names]
        axis.set_xticks(range(count), names, rotation=60, ha="right", parse_math=False)
        axis.set_yticks(range(count), names, parse_math=False)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    if count <= _MOST_CLASSES_WITH_NUMBERS:
        for i, row in enumerate(confusion):
            for j, value in enumerate(row):
                if value:
                    color = "white" if shares[i][j] > 0.5 else "black"
                    axis.text(j, i, value, ha="center", va="center", color=color)
    _save(figure, path)


def draw_scatter(path: Path, truth: Any, found: Any, names: Sequence[str]) -> None:
    """Draw predicted against true numbers, one panel a target; the line is where both agree."""
    shown = list(names)[:_MOST_TARGETS]
    figure, axes = _figure(len(shown), (4.5 * len(shown), 4.5))
    for place, (axis, name) in enumerate(zip(axes, shown, strict=True)):
        real, said = truth[:, place], found[:, place]
        ends = [min(real.min(), said.min()), max(real.max(), said.max())]
        axis.plot(ends, ends, color=_BEST, linestyle=":", linewidth=1)
        axis.scatter(real, said, s=12, alpha=0.6, color=_TRAIN, linewidths=0)
        axis.set_xlabel("true")
        axis.set_ylabel("predicted")
        axis.set_title(_plain(name), parse_math=False)
        axis.grid(alpha=0.3)
    _save(figure, path)


def _figure(columns: int, size: tuple[float, float]) -> tuple[Any, list[Any]]:
    # The object interface draws without a display and leaves the user's backend alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(1, columns, squeeze=False).flat)


def _plain(name: str) -> str:
    name = name.encode("utf-8", "replace").decode()
    return name if len(name) <= 24 else name[:23] + "…"


def _save(figure: Any, path: Path) -> None:
    with atomic_path(path) as temporary, warnings.catch_warnings():
        # Names may be in scripts that the font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(temporary, format="png", dpi=110)
