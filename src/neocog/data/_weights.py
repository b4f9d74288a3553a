"""Class weights turned into sample weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from neocog.data._source import Batch
from neocog.exceptions import ArgumentError, ArgumentTypeError, DataError, message


def check_class_weight(class_weight: Any) -> dict[int, float]:
    """Return `class_weight` as int to float; keys that are no class numbers, negative weights are refused."""
    if not isinstance(class_weight, Mapping):
        raise ArgumentTypeError(
            message(
                "class_weight",
                expected="a dict from class number to weight, such as {0: 1.0, 1: 5.0}",
                got=f"a {type(class_weight).__name__}",
            )
        )
    try:
        weights = {int(label): float(weight) for label, weight in class_weight.items()}
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            message("class_weight", expected="class numbers and numbers as weights", got=dict(class_weight))
        ) from error
    bad = {label: weight for label, weight in weights.items() if not (0 <= weight < float("inf"))}
    if bad:
        raise ArgumentError(message("class_weight", expected="finite weights of 0 or more", got=bad))
    return weights


def class_weights_to_sample_weights(y: Any, class_weight: Mapping[int, float]) -> torch.Tensor:
    """Return one float32 weight a sample, looked up by its class.

    Args:
        y: labels: whole numbers (n,) or (n, 1), or one-hot rows (n, classes).
        class_weight: weight of each class; classes that no sample has are harmless.

    Raises:
        DataError: a label that has no weight, or targets that are no class labels.
    """
    if not isinstance(y, torch.Tensor):
        raise DataError(
            message(
                "class_weight",
                expected="a model with one output and class labels",
                got="no y" if y is None else f"y as a {type(y).__name__} of several outputs",
                do="Pass sample_weight instead.",
            )
        )
    labels = y
    if labels.ndim == 2:
        labels = labels.argmax(1) if labels.shape[1] > 1 else labels[:, 0]
    if labels.ndim != 1:
        raise DataError(
            message(
                "class_weight",
                expected="labels of shape (n,), (n, 1) or (n, classes)",
                got=f"y of shape {tuple(y.shape)}",
                do="Pass sample_weight instead.",
            )
        )
    if labels.is_floating_point():
        labels = labels.round()
    present, places = labels.to("cpu", torch.int64).unique(return_inverse=True)  # type: ignore[no-untyped-call]
    missing = [label for label in present.tolist() if label not in class_weight]
    if missing:
        raise DataError(
            message(
                "class_weight",
                expected="a weight for each class in y",
                got=f"none for class {', '.join(map(str, missing[:5]))}",
                do=f"Add it, for instance {{{missing[0]}: 1.0}}.",
            )
        )
    table = torch.from_numpy(np.array([class_weight[label] for label in present.tolist()], dtype=np.float32))
    return table[places].to(y.device)


def weigh(batch: Batch, class_weight: Mapping[int, float]) -> Batch:
    """Return `batch` with sample weights from its classes."""
    if batch.sample_weight is not None:
        raise both_weights()
    return Batch(batch.x, batch.y, class_weights_to_sample_weights(batch.y, class_weight), batch.size)


def both_weights() -> ArgumentError:
    """Return the error for class weights and sample weights at once."""
    return ArgumentError(
        message(
            "class_weight",
            expected="either class_weight or sample_weight",
            got="both",
            do="Multiply the class weights into sample_weight.",
        )
    )
