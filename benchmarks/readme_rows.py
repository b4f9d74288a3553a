"""Rows for the README's table "Measured", from the newest results: `scripts/bench readme` prints them.

Each row links the dated file that holds its figures.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_AGAINST = (
    "against tuned PyTorch",
    "against Keras in float32",
    "against Keras at its fastest",
)


def newest(suite: str, results: Path = RESULTS) -> Path | None:
    """Return the newest result of a suite as a contest writes it, or None."""
    found = [path for path in results.glob(f"????-??-??-{suite}-*cores*.json") if _rows(path)]
    return max(found, default=None)


def readme_rows(results: Path = RESULTS) -> str:
    """Return the rows; a suite without results has none."""
    lines: list[str] = []
    for suite in ("fit", "predict"):
        path = newest(suite, results)
        if path is not None:
            lines += _contest(suite, path)
    path = newest("time-to-accuracy", results)
    if path is not None:
        lines += [line for row in _rows(path) if (line := _course(row, path))]
    return "\n".join(lines)


def _rows(path: Path) -> list[dict[str, Any]]:
    """The rows that contests have written; older forms of a suite's file have none."""
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return [row for row in rows if {"samples a second", "µs", "courses"} & set(row)]


def _contest(suite: str, path: Path) -> list[str]:
    rows = [row for row in _rows(path) if all(key in row for key in _AGAINST)]
    lines = []
    for row in rows:
        figures = ", ".join(f"{row[key]['median']:.2f}" for key in _AGAINST)
        what = f"batch {row['batch']}, speed against tuned PyTorch, Keras in float32, Keras at its fastest"
        lines.append(_line(f"`{suite}`, {row['title']}", what, figures, path))
    for row in _rows(path):
        if "µs" in row:
            figure = f"{row['over the bare step']:.0f}"
            lines.append(_line("`fit`", f"{row['title']}, microseconds", figure, path))
    return lines


def _course(row: dict[str, Any], path: Path) -> str | None:
    """Seconds of neocog, of the best tuned loop and of the fastest Keras."""
    seconds = {
        name: statistics.median(course["seconds"] for course in courses)
        for name, courses in row["courses"].items()
        if all(course["reached"] for course in courses)
    }
    parties = [
        min((value for name, value in seconds.items() if name.startswith(party)), default=None)
        for party in ("neocog", "tuned", "keras")
    ]
    if any(value is None for value in parties):
        return None
    figures = ", ".join(f"{value:.1f}" for value in parties)
    what = "seconds with `fit`, with tuned PyTorch, with the fastest Keras"
    return _line(f"time to accuracy, {row['title'].replace(' %', ' percent')}", what, figures, path)


def _line(name: str, what: str, figures: str, path: Path) -> str:
    page = path.with_suffix(".md").name
    return f"| {name} | {what} | {figures} | [{path.name[:10]}](benchmarks/results/{page}) |"
