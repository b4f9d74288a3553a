"""Results on stdout: sentences and tables for people, JSON and CSV for machines."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from neocog.cli._console import printable

if TYPE_CHECKING:
    from neocog import workflows


def print_json(value: Any) -> None:
    """Print plain values; characters beyond ASCII are written as escapes, so that any pipe takes them."""
    print(json.dumps(value, indent=1))


def print_training(result: workflows.TrainResult) -> None:
    """Print what a training reached and where its report lies."""
    epochs = "1 epoch" if result.epochs == 1 else f"{result.epochs} epochs"
    print(f"test accuracy {_accuracy(result.test)}, {epochs} in {result.seconds:.0f} s")
    print(printable(f"run    {result.folder}"))
    print(printable(f"report {result.report}"))


def print_evaluation(result: workflows.EvaluateResult, *, quiet: bool) -> None:
    """Print the scores, and a table of the classes."""
    scores = result.scores
    print(printable(f"accuracy {_accuracy(scores)} on {result.measured_on}, loss {scores.loss:.4f}"))
    if quiet:
        return
    rows = [
        (item.name, _share(item.precision), _share(item.recall), _share(item.f1), str(item.count))
        for item in scores.classes
    ]
    print()
    print_table(("class", "precision", "recall", "F1", "images"), rows, numbers=(1, 2, 3, 4))


def print_predictions(result: workflows.PredictResult) -> None:
    """Print a table of predictions."""
    rows = [
        (found.file, found.label, f"{found.confidence:.4f}", found.second, f"{found.second_confidence:.4f}")
        for found in result.predictions
    ]
    if rows:
        print_table(("file", "class", "confidence", "second", "its confidence"), rows, numbers=(2, 4))


def print_predictions_csv(result: workflows.PredictResult) -> None:
    """Print predictions as CSV."""
    sys.stdout.reconfigure(errors="surrogateescape") if hasattr(sys.stdout, "reconfigure") else None
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("file", "class", "confidence", "second", "second_confidence"))
    for found in result.predictions:
        confidences = (f"{found.confidence:.6f}", f"{found.second_confidence:.6f}")
        writer.writerow((found.file, found.label, confidences[0], found.second, confidences[1]))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int]) -> None:
    """Print a table; the columns in `numbers` stand right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(header):
        table.add_column(name, justify="right" if index in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(highlight=False)
    # In a pipe there is no width to keep to: a row stays on one line.
    (console if console.is_terminal else Console(width=10_000, highlight=False)).print(table)


def _accuracy(scores: workflows.Scores) -> str:
    return (
        f"{scores.accuracy:.4f} ({scores.correct} of {scores.count} images; "
        f"95 % interval {scores.low:.4f} to {scores.high:.4f})"
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
