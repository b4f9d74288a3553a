"""Results on stdout: sentences and tables for people, JSON and CSV for machines."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
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
    print(printable(f"test {_headline(result.test)}, {epochs} in {result.seconds:.0f} s"))
    if result.transfer is not None:
        for line in _transfer_lines(result.transfer):
            print(printable(line))
    print(printable(f"run    {result.folder}"))
    print(printable(f"report {result.report}"))


def _transfer_lines(found: Mapping[str, Any]) -> list[str]:
    """Return what a pretrained base brought: feature extraction and fine-tuning apart."""
    head, tuned, seconds = found["feature_extraction_alone"], found["fine_tuning"], found["seconds"]
    lines = [f"  feature extraction alone: {_both(head)}"]
    if tuned is not None:
        verdict = "kept" if tuned["kept"] else "not better on validation: not kept"
        lines.append(f"  fine-tuning of {', '.join(tuned['opened'])}: {_both(tuned)}; {verdict}")
    lines.append(
        f"  an epoch on kept features {seconds['epoch_on_features']:.3f} s, through the base "
        f"{seconds['epoch_through_base']:.1f} s (forward alone): {seconds['times_faster']:,.0f} × as fast"
    )
    return lines


def _both(figures: Mapping[str, Any]) -> str:
    names = ("accuracy", "macro_f1", "r2")
    found = []
    for part in ("validation", "test"):
        values = figures[part] or {}
        name = next((name for name in names if values.get(name) is not None), None)
        if name is not None:
            found.append(f"{part} {name.replace('_', ' ')} {values[name]:.4f}")
    return ", ".join(found)


def print_evaluation(result: workflows.EvaluateResult, *, quiet: bool) -> None:
    """Print the scores, and a table of the classes, labels or targets."""
    from neocog import workflows

    scores = result.scores
    loss = "" if isinstance(scores, workflows.RegressionScores) else f", loss {scores.loss:.4f}"
    print(printable(f"{_headline(scores)} on {result.measured_on}{loss}"))
    if quiet:
        return
    header, rows = _score_rows(scores)
    print()
    print_table(header, rows, numbers=range(1, len(header)))


def _score_rows(scores: workflows.AnyScores) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    from neocog import workflows

    if isinstance(scores, workflows.RegressionScores):
        return ("target", "MAE", "low", "high", "RMSE", "R²", "bias"), [
            (item.name, *(f"{value:.4g}" for value in (item.mae, item.low, item.high, item.rmse)),
             _share(item.r2), f"{item.bias:+.3g}")
            for item in scores.targets
        ]  # fmt: skip
    if isinstance(scores, workflows.MultiLabelScores):
        return ("label", "precision", "recall", "F1", "average precision", "images"), [
            (item.name, *map(_share, (item.precision, item.recall, item.f1, item.average_precision)),
             str(item.count))
            for item in scores.labels
        ]  # fmt: skip
    return ("class", "precision", "recall", "F1", "images"), [
        (item.name, *map(_share, (item.precision, item.recall, item.f1)), str(item.count))
        for item in scores.classes
    ]


def print_predictions(result: workflows.PredictResult) -> None:
    """Print a table of predictions."""
    rows = prediction_table(result)
    if len(rows) > 1:
        numbers = [i for i, name in enumerate(rows[0]) if name not in ("file", "class", "labels", "second")]
        print_table(rows[0], rows[1:], numbers=numbers)


def print_comparison(result: workflows.CompareResult) -> None:
    """Print a table of runs, and the settings that differ."""
    from neocog.workflows._compare_page import shown, tested, written

    common = result.common_epochs
    header = ("run", "epochs", "kept", "training", "validation", "gap", f"gap after {common}", "test")
    rows = [
        (
            run.name,
            str(len(run.epochs)),
            str(run.best_epoch or "–"),
            shown(run.metric, run.training),
            shown(run.metric, run.validation),
            shown(run.metric, run.gap, signed=True),
            shown(run.metric, run.gap_after(common), signed=True),
            tested(run),
        )
        for run in result.runs
    ]
    print_table(header, rows, numbers=(1, 2, 3, 4, 5, 6, 7))
    if result.differing:
        print()
        settings = [(name, *map(written, values)) for name, values in result.differing.items()]
        print_table(("setting", *(run.name for run in result.runs)), settings, numbers=())


def print_predictions_csv(result: workflows.PredictResult) -> None:
    """Print predictions as CSV; what a spreadsheet would take for a formula is made harmless."""
    from neocog.workflows import guarded, guarded_path

    sys.stdout.reconfigure(errors="surrogateescape") if hasattr(sys.stdout, "reconfigure") else None
    writer = csv.writer(sys.stdout, lineterminator="\n")
    header, *rows = prediction_table(result, digits=6)
    titles = [name.replace("its confidence", "second confidence").replace(" ", "_") for name in header]
    writer.writerow(titles if result.task == "single-label" else [guarded(name) for name in header])
    for file, *cells in rows:
        texts = cells if result.task == "regression" else [guarded(cell) for cell in cells]
        writer.writerow([guarded_path(file), *texts])


def prediction_table(result: workflows.PredictResult, digits: int = 4) -> list[list[str]]:
    """Return predictions as rows below a header: classes, labels with probabilities, or numbers."""
    from neocog import workflows

    header = ["file", "class", "confidence", "second", "its confidence"]
    rows: list[list[str]] = []
    for found in result.predictions:
        if isinstance(found, workflows.NumbersPrediction):
            header = ["file", *(name for name, _ in found.values)]
            rows.append([found.file, *(f"{value:.8g}" for _, value in found.values)])
        elif isinstance(found, workflows.LabelsPrediction):
            chances = dict(found.probabilities)
            header = ["file", "labels", *sorted(chances)]
            shown = (f"{chances[name]:.{digits}f}" for name in sorted(chances))
            rows.append([found.file, "|".join(found.labels), *shown])
        else:
            sure = (f"{found.confidence:.{digits}f}", f"{found.second_confidence:.{digits}f}")
            rows.append([found.file, found.label, sure[0], found.second, sure[1]])
    return [header, *rows]


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


def _headline(scores: workflows.AnyScores) -> str:
    from neocog import workflows

    if isinstance(scores, workflows.MultiLabelScores):
        return (
            f"macro F1 {scores.macro_f1:.4f}, mean average precision {scores.mean_ap:.4f}, all labels right "
            f"{scores.exact:.4f} ({scores.count} images; 95 % interval {scores.low:.4f} to {scores.high:.4f})"
        )
    if isinstance(scores, workflows.RegressionScores):
        errors = ", ".join(
            f"{item.name} ± {item.mae:.4g} (95 % interval {item.low:.4g} to {item.high:.4g})"
            for item in scores.targets[:5]
        )
        return f"mean absolute error: {errors}; R² {_share(scores.r2)} ({scores.count} images)"
    return (
        f"accuracy {scores.accuracy:.4f} ({scores.correct} of {scores.count} images; "
        f"95 % interval {scores.low:.4f} to {scores.high:.4f})"
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
