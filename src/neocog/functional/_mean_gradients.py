"""The mean of a loss over a batch together with its gradient, where both are a formula of few kernels.

The kernels are those that torch's differentiation would call, so the numbers are the same to the bit, or to
rounding where it composes a loss of several operations.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch.nn import functional as F

from neocog.functional._mean_losses import plain
from neocog.functional._probabilistic_losses import (
    binary_crossentropy,
    categorical_crossentropy,
    smooth_binary,
    smooth_categorical,
    sparse_categorical_crossentropy,
    sparse_labels,
)
from neocog.functional._regression_losses import huber, mean_absolute_error, mean_squared_error

MeanAndGradient = tuple[torch.Tensor, torch.Tensor]
GradientForm = Callable[..., MeanAndGradient | None]

_MEAN = 1  # torch's number for the reduction
_aten: Any = torch.ops.aten
_nll_forward, _nll_backward = _aten.nll_loss_forward.default, _aten.nll_loss_backward.default
_log_softmax_backward = _aten._log_softmax_backward_data.default
_mse_backward, _huber_backward = _aten.mse_loss_backward.default, _aten.huber_loss_backward.default


def _alike(y_true: torch.Tensor, x: torch.Tensor) -> bool:
    return plain(y_true, x) and y_true.dtype == x.dtype


@lru_cache
def _one(dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    with torch.inference_mode(False):
        return torch.ones((), dtype=dtype, device=device)


def _sparse_categorical_crossentropy(
    y_true: torch.Tensor,
    x: torch.Tensor,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> MeanAndGradient | None:
    if not from_logits or ignore_class is not None or x.dim() != 2 or axis not in (-1, 1) or not x.numel():
        return None
    usual = y_true.dtype is torch.int64 and y_true.shape == x.shape[:-1]
    labels = y_true if usual else sparse_labels(y_true, x, axis)
    logarithms = torch.log_softmax(x, 1)
    mean, weight = _nll_forward(logarithms, labels, None, _MEAN, -100)
    gradient = _nll_backward(_one(x.dtype, x.device), logarithms, labels, None, _MEAN, -100, weight)
    return mean, _log_softmax_backward(gradient, logarithms, 1, x.dtype)


def _categorical_crossentropy(
    y_true: torch.Tensor,
    x: torch.Tensor,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> MeanAndGradient | None:
    if not from_logits or x.dim() != 2 or axis not in (-1, 1) or not _alike(y_true, x):
        return None
    targets = smooth_categorical(y_true, label_smoothing)
    logarithms = torch.log_softmax(x, 1)
    mean = -(logarithms * targets).sum() / len(x)
    return mean, _log_softmax_backward(targets * (-1.0 / len(x)), logarithms, 1, x.dtype)


def _binary_crossentropy(
    y_true: torch.Tensor,
    x: torch.Tensor,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> MeanAndGradient | None:
    if not from_logits or not _alike(y_true, x):
        return None
    targets = smooth_binary(y_true, label_smoothing)
    mean = F.binary_cross_entropy_with_logits(x, targets)
    return mean, (torch.sigmoid(x) - targets) / x.numel()


def _mean_squared_error(y_true: torch.Tensor, x: torch.Tensor) -> MeanAndGradient | None:
    if not _alike(y_true, x):
        return None
    return F.mse_loss(x, y_true), _mse_backward(_one(x.dtype, x.device), x, y_true, _MEAN)


def _mean_absolute_error(y_true: torch.Tensor, x: torch.Tensor) -> MeanAndGradient | None:
    if not _alike(y_true, x):
        return None
    return F.l1_loss(x, y_true), torch.sign(x - y_true) / x.numel()


def _huber(y_true: torch.Tensor, x: torch.Tensor, delta: float = 1.0) -> MeanAndGradient | None:
    if delta <= 0 or not _alike(y_true, x):
        return None
    return F.huber_loss(x, y_true, delta=delta), _huber_backward(
        _one(x.dtype, x.device), x, y_true, _MEAN, delta
    )


GRADIENT_FORMS: dict[Callable[..., Any], GradientForm] = {
    sparse_categorical_crossentropy: _sparse_categorical_crossentropy,
    categorical_crossentropy: _categorical_crossentropy,
    binary_crossentropy: _binary_crossentropy,
    mean_squared_error: _mean_squared_error,
    mean_absolute_error: _mean_absolute_error,
    huber: _huber,
}
