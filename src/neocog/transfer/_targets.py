"""What the labels of a training part say of the head: how many outputs it has, and which loss fits."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from neocog.data import scan_folder
from neocog.exceptions import ArgumentError, DataError, message

_LOSSES = {
    "softmax": "sparse_categorical_crossentropy",
    "sigmoid": "binary_crossentropy",
    "linear": "mean_squared_error",
}


def outputs_and_loss(train: Any, task: str, *, strict: bool = True) -> tuple[int | None, str]:
    """Return how many outputs the labels ask for, None where they are not known yet, and the loss for them.

    Args:
        train: what `finetune` takes.
        task: `"softmax"`: class numbers, or one-hot rows; else a column an output.
        strict: refuse labels that are of another task.

    Raises:
        DataError: labels that are no numbers, or of another task.
    """
    if is_folder(train):
        count = len(scan_folder(train, check="none").class_names)
        return count if task == "softmax" else None, _LOSSES[task]
    labels = train[1] if _has_labels(train) else getattr(getattr(train, "source", train), "labels", None)
    names = getattr(train, "class_names", None) if task == "softmax" else None
    if labels is None:
        return len(names) if names else None, _LOSSES[task]
    values = _as_numbers(labels)
    columns = 1 if values.ndim == 1 else values.shape[-1]
    if task != "softmax":
        return columns, _LOSSES[task]
    if strict:
        _check_classes(values, columns)
    if columns > 1:
        return columns, "categorical_crossentropy"
    # a class may be missing in this part
    return len(names) if names else int(values.max()) + 1, _LOSSES[task]


def is_folder(data: Any) -> bool:
    """Return whether data are the path of a folder."""
    return isinstance(data, (str, os.PathLike))


def needed(classes: int | None) -> int:
    """Return the number of outputs, or say that it must be given."""
    if classes is None:
        do = "Pass classes=…"
        raise ArgumentError(message("finetune", expected="the number of classes", got="none", do=do))
    return classes


def _has_labels(train: Any) -> bool:
    return isinstance(train, tuple) and len(train) > 1


def _as_numbers(labels: Any) -> np.ndarray[Any, Any]:
    values = np.asarray(labels)
    expected = "labels that are numbers, one row an image"
    if values.dtype.kind not in "biuf":
        got, do = (
            f"{values.reshape(-1)[:1].tolist()}, …",
            "np.unique(labels, return_inverse=True) numbers names.",
        )
        raise DataError(message("finetune", expected=expected, got=got, do=do))
    if values.ndim == 0 or not values.size or not np.isfinite(values).all():
        got = "none" if not values.size else "one number" if values.ndim == 0 else "NaN or infinite ones"
        raise DataError(message("finetune", expected=expected, got=got))
    return values


def _check_classes(values: np.ndarray[Any, Any], columns: int) -> None:
    """Raise for several labels an image, and for numbers to predict."""
    rows = values.reshape(-1, columns)
    if columns > 1:
        fits = rows.min() >= 0 and np.allclose(rows.sum(1), 1, atol=1e-3)
        got = f"rows of {columns} values that do not sum to 1"
    else:
        fits = bool((rows == np.rint(rows)).all())
        got = f"fractions such as {float(rows[rows != np.rint(rows)][0]):.4g}" if not fits else ""
    if not fits:
        expected = 'one class an image for task="softmax"'
        do = 'Pass task="sigmoid" for several labels, task="linear" for numbers.'
        raise DataError(message("finetune", expected=expected, got=got, do=do))
