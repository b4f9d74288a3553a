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


def draw_curves(path: Path, epochs: Sequence[Mapping[str, float]], best_epoch: int) -> None:
    """Draw accuracy and loss over the epochs, for training and validation, with the kept epoch marked."""
    figure, axes = _figure(2, (10, 4))
    for axis, name in zip(axes, ("accuracy", "loss"), strict=True):
        for key, color, label in ((name, _TRAIN, "training"), (f"val_{name}", _VALIDATION, "validation")):
            points = [(i + 1, row[key]) for i, row in enumerate(epochs) if key in row]
            if points:
                axis.plot(*zip(*points, strict=True), color=color, label=label, marker=".", markersize=4)
        if best_epoch:
            axis.axvline(best_epoch, color=_BEST, linestyle=":", linewidth=1, label="kept")
        axis.set_xlabel("epoch")
        axis.set_title(name)
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
