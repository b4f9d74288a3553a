"""The mean of a loss over a batch in the fewest kernels: what a training step without weights computes.

A mean form returns the same number as the mean of its loss, or None where the shapes are not the plain case.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from neocog.functional._loss_inputs import precise
from neocog.functional._probabilistic_losses import (
    binary_crossentropy,
    binary_elements,
    categorical_crossentropy,
    smooth_binary,
    smooth_categorical,
    sparse_categorical_crossentropy,
    sparse_elements,
    sparse_labels,
)
from neocog.functional._regression_losses import huber, mean_absolute_error, mean_squared_error

MeanForm = Callable[..., torch.Tensor | None]


def plain(y_true: torch.Tensor, y_pred: torch.Tensor) -> bool:
    """Return whether targets and predictions have one shape, and any values."""
    return y_true.shape == y_pred.shape and y_pred.numel() > 0


def _mean_squared_error(y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor | None:
    return F.mse_loss(y_pred, y_true) if plain(y_true, y_pred) else None


def _mean_absolute_error(y_true: torch.Tensor, y_pred: torch.Tensor) -> torch.Tensor | None:
    return F.l1_loss(y_pred, y_true) if plain(y_true, y_pred) else None


def _huber(y_true: torch.Tensor, y_pred: torch.Tensor, delta: float = 1.0) -> torch.Tensor | None:
    return F.huber_loss(y_pred, y_true, delta=delta) if delta > 0 and plain(y_true, y_pred) else None


def _binary_crossentropy(
    y_true: torch.Tensor,
    y_pred: torch.Tensor,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> torch.Tensor | None:
    if not plain(y_true, y_pred):
        return None
    return binary_elements(smooth_binary(y_true, label_smoothing), y_pred, from_logits, mean=True)


def _categorical_crossentropy(
    y_true: torch.Tensor,
    y_pred: torch.Tensor,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> torch.Tensor | None:
    if not from_logits or isinstance(axis, bool) or y_pred.dim() != 2 or not plain(y_true, y_pred):
        return None
    if axis not in (-1, 1):
        return None
    return F.cross_entropy(y_pred, smooth_categorical(y_true, label_smoothing))


def _sparse_categorical_crossentropy(
    y_true: torch.Tensor,
    y_pred: torch.Tensor,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> torch.Tensor | None:
    if ignore_class is not None or y_pred.numel() == 0:
        return None
    y_pred = precise(y_pred)
    # The usual case, (B,) int64 labels for (B, C), needs no preparation: this runs at every training step.
    usual = y_true.dtype is torch.int64 and y_true.shape == y_pred.shape[:-1] and axis == -1
    labels = y_true if usual else sparse_labels(y_true, y_pred, axis)
    return sparse_elements(labels, y_pred, from_logits, axis, mean=True)


MEAN_FORMS: dict[Callable[..., Any], MeanForm] = {
    mean_squared_error: _mean_squared_error,
    mean_absolute_error: _mean_absolute_error,
    huber: _huber,
    binary_crossentropy: _binary_crossentropy,
    categorical_crossentropy: _categorical_crossentropy,
    sparse_categorical_crossentropy: _sparse_categorical_crossentropy,
}
