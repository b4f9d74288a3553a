"""What a model gave, by task: scores, predictions, rows of tables."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from neocog.workflows._csv_cells import guarded, guarded_path
from neocog.workflows._results import AnyPrediction, LabelsPrediction, NumbersPrediction, Prediction
from neocog.workflows._scores import Scores, score
from neocog.workflows._scores_multi import MultiLabelScores, score_labels
from neocog.workflows._scores_numbers import RegressionScores, score_numbers
from neocog.workflows._task import MULTI, SINGLE, THRESHOLD, Task

MOST_CLASSES_IN_CSV = 50
AnyScores = Scores | MultiLabelScores | RegressionScores


def score_outputs(task: Task, outputs: Any, labels: Any) -> AnyScores:
    """Return what a model's outputs are worth.

    Args:
        task: what the model says.
        outputs: (count, outputs).
        labels: the truth, as a part holds it.
    """
    if task.kind == SINGLE:
        return score(outputs, labels, task.names)
    return (score_labels if task.kind == MULTI else score_numbers)(outputs, labels, task.names)


def prediction(task: Task, file: str, row: Any) -> AnyPrediction:
    """Return a row of outputs as what the model says of a file."""
    if task.kind == SINGLE:
        return rank(file, row, task.names)
    if task.kind == MULTI:
        return LabelsPrediction(file=file, probabilities=_sorted(row, task.names), threshold=THRESHOLD)
    values = tuple((name, float(value)) for name, value in zip(task.names, row, strict=True))
    return NumbersPrediction(file=file, values=values)


def rank(file: str, probabilities: Any, class_names: Sequence[str]) -> Prediction:
    """Return a row of probabilities as a prediction of one class."""
    return Prediction(file=file, probabilities=_sorted(probabilities, class_names))


def _sorted(row: Any, names: Sequence[str]) -> tuple[tuple[str, float], ...]:
    order = np.argsort(-np.asarray(row), kind="stable")
    return tuple((names[i], float(row[i])) for i in order)


def written_label(task: Task, label: Any) -> str:
    """Return the truth of one image as the text of a cell: class, labels or numbers, separated by `|`."""
    if task.kind == SINGLE:
        return task.names[int(label)]
    if task.kind == MULTI:
        there = (name for name, value in zip(task.names, label, strict=True) if value)
        return "|".join(re.sub(r"([|\\])", r"\\\1", name) for name in there)
    return "|".join(repr(float(value)) for value in label)


def read_label(task: Task, text: str) -> Any:
    """Return what `written_label` was given; None where the text is of another task or other classes."""
    if task.kind == SINGLE:
        return task.names.index(text) if text in task.names else None
    parts = [re.sub(r"\\(.)", r"\1", part) for part in re.findall(r"(?:\\.|[^|\\])+", text)]
    if task.kind == MULTI:
        if any(part not in task.names for part in parts):
            return None
        return [int(name in parts) for name in task.names]
    try:
        values = [float(part) for part in parts]
    except ValueError:
        return None
    whole = len(values) == len(task.names) and all(math.isfinite(value) for value in values)
    return values if whole else None


def prediction_rows(
    task: Task, ids: Iterable[str], labels: Any, outputs: Any
) -> tuple[list[str], list[list[Any]]]:
    """Return the header and the rows of `predictions.csv`: what each image is, and what the model said."""
    pairs = zip(ids, labels, outputs, strict=True)
    if task.kind == SINGLE:
        return _single_header(task), [_single_row(task, *triple) for triple in pairs]
    if task.kind == MULTI:
        columns = task.names if len(task.names) <= MOST_CLASSES_IN_CSV else ()
        header = ["file", "labels", "predicted", "right", *(guarded(f"p({name})") for name in columns)]
        return header, [_labels_row(task, *triple) for triple in pairs]
    titles = ("{}", "predicted {}", "error {}")
    header = ["file", *(guarded(title.format(name)) for name in task.names for title in titles)]
    rows = [
        [
            guarded_path(file),
            *(
                f"{number:.8g}"
                for real, found in zip(truth, row, strict=True)
                for number in (float(real), float(found), float(found) - float(real))
            ),
        ]
        for file, truth, row in pairs
    ]
    return header, rows


def _single_header(task: Task) -> list[str]:
    columns = task.names if len(task.names) <= MOST_CLASSES_IN_CSV else ()
    header = ["file", "class", "predicted", "correct", "confidence", "second", "second_confidence"]
    return [*header, *(f"p({name})" for name in columns)]


def _single_row(task: Task, file: str, label: Any, row: Any) -> list[Any]:
    found = rank(file, row, task.names)
    truth = task.names[int(label)]
    return [
        guarded_path(file),
        guarded(truth),
        guarded(found.label),
        int(found.label == truth),
        f"{found.confidence:.6f}",
        guarded(found.second),
        f"{found.second_confidence:.6f}",
        *(f"{chance:.6f}" for chance in (row if len(task.names) <= MOST_CLASSES_IN_CSV else ())),
    ]


def _labels_row(task: Task, file: str, label: Any, row: Any) -> list[Any]:
    called = np.asarray(row) > THRESHOLD
    return [
        guarded_path(file),
        guarded(written_label(task, label)),
        guarded(written_label(task, called)),
        int(bool((called == (np.asarray(label) > 0)).all())),
        *(f"{chance:.6f}" for chance in (row if len(task.names) <= MOST_CLASSES_IN_CSV else ())),
    ]
