"""What would fail or mislead later is checked before the first step: shapes, labels, values."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import torch

from neocog import losses
from neocog.core import tree_flatten
from neocog.data import ArraySource, Batch, Source
from neocog.exceptions import DataError, ShapeError, message
from neocog.losses import check_targets
from neocog.training._compiled import Compiled, targets_in_order
from neocog.training._trainable import runs_own, uses_own_loss


def check_values(where: str, source: Source, batch: Batch) -> None:
    """Raise DataError for NaN or infinite inputs or weights: all of them for arrays, else those of the first
    batch.
    """
    whole = source.arrays() if isinstance(source, ArraySource) else (batch.x, batch.y, batch.sample_weight)
    _check_finite(where, "input", whole[0])
    if whole[2] is not None:
        _check_finite(where, "sample_weight", whole[2])


def _check_finite(where: str, kind: str, tree: Any) -> None:
    leaves = tree_flatten(tree)
    for number, leaf in enumerate(leaves):
        if not isinstance(leaf, torch.Tensor) or not leaf.is_floating_point() or _all_finite(leaf):
            continue
        bad = (~torch.isfinite(leaf)).flatten(1).any(1) if leaf.dim() > 1 else ~torch.isfinite(leaf)
        rows = torch.nonzero(bad).flatten()
        name = ("inputs" if kind == "input" else kind) if len(leaves) == 1 else f"{kind} {number + 1}"
        raise DataError(
            message(
                where,
                expected=f"{name} that are finite numbers",
                got=f"NaN or infinity in {len(rows)} of {leaf.shape[0]} samples (first: {int(rows[0])})",
                do="Remove or replace these values.",
            )
        )


def check_validation(model: Any, settings: Compiled, validation: Source | None, y_pred: Any) -> None:
    """Raise for validation arrays that would fail, or give NaN, after a whole epoch of training.

    Sources of batches are not looked into: some can be read only once.
    """
    if not isinstance(validation, ArraySource):
        return
    x, y, _ = validation.arrays()
    batch = Batch(x, y, None, 0)
    check_values("validation data", validation, batch)
    if y is None or y_pred is None or not (uses_own_loss(model) and runs_own(model, "test_step")):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is doubtful in the head was said of the training data
            check_all_targets(settings, validation, batch, y_pred, last_activations(model, y_pred))
    except (DataError, ShapeError) as error:
        raise type(error)(f"validation data: {error}") from error


def check_all_targets(
    settings: Compiled, source: Source, batch: Batch, y_pred: Any, activations: list[Any]
) -> None:
    """Check the targets against each output's loss: all of them for arrays, else those of the first batch."""
    y = source.arrays()[1] if isinstance(source, ArraySource) else batch.y
    names = [head.name for head in settings.heads]
    pairs = zip(settings.heads, targets_in_order(y, names), tree_flatten(y_pred), activations, strict=True)
    for head, target, output, activation in pairs:
        if isinstance(head.loss, losses.Loss) and isinstance(target, torch.Tensor):
            check_targets(head.loss, target, output.detach().float(), output=head.name, activation=activation)


def last_activations(model: Any, y_pred: Any) -> list[str | None]:
    """Return the name of the activation behind each output, None where it is not known."""
    found: list[str | None] = []
    count = len(tree_flatten(y_pred))
    tensors = list(_output_operations(model))
    for operation in tensors if len(tensors) == count else [None] * count:
        found.append(_activation_name(operation))
    return found


def _output_operations(model: Any) -> Iterator[Any]:
    try:
        outputs = model.outputs
    except (AttributeError, ValueError):
        return
    for tensor in outputs:
        yield tensor.node.operation if tensor.node is not None else None


def _activation_name(operation: Any) -> str | None:
    layers = getattr(operation, "layers", None)
    if isinstance(layers, list) and layers:
        return _activation_name(layers[-1])
    if isinstance(operation, torch.nn.Module) and type(operation).__name__ in ("Softmax", "Sigmoid"):
        return type(operation).__name__.lower()
    activation = getattr(operation, "activation", None)
    return getattr(activation, "__name__", None)


def _all_finite(leaf: torch.Tensor) -> bool:
    # The sum of finite numbers can overflow, but then the exact check decides.
    return bool(torch.isfinite(leaf.sum())) or bool(torch.isfinite(leaf).all())
