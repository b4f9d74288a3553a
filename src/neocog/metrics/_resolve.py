"""What "accuracy" means for given shapes."""

from __future__ import annotations

from collections.abc import Sequence

from neocog.exceptions import ArgumentError, message
from neocog.metrics._accuracy import BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from neocog.metrics._metric import Metric
from neocog.metrics._probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)

_ACCURACIES = (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy)
_CROSSENTROPIES = (BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy)
_FAMILIES: dict[str, tuple[type[Metric], ...]] = {
    "accuracy": _ACCURACIES,
    "acc": _ACCURACIES,
    "crossentropy": _CROSSENTROPIES,
    "ce": _CROSSENTROPIES,
}


def resolve_accuracy(
    name: str, y_true_shape: Sequence[int | None], y_pred_shape: Sequence[int | None]
) -> Metric:
    """Return the metric that `"accuracy"`, `"acc"`, `"crossentropy"` or `"ce"` means for these shapes.

    One output a sample is binary; labels with one axis fewer, or with a last axis of 1, are class indices;
    else one-hot. The metric keeps the name that the user typed.

    Example:
        >>> resolve_accuracy("acc", (None,), (None, 10))
        <SparseCategoricalAccuracy name=acc>
    """
    family = _FAMILIES.get(name.lower())
    if family is None:
        raise ArgumentError(
            message("resolve_accuracy", expected=f"one of {tuple(_FAMILIES)}", got=repr(name))
        )
    binary, sparse, categorical = family
    if len(y_pred_shape) < 2 or y_pred_shape[-1] == 1:
        return binary(name=name)
    if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        return sparse(name=name)
    return categorical(name=name)
