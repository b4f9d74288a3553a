"""Losses between numbers: squared, absolute, logarithmic, cosine, and the margin losses.

Each takes targets and predictions of shape (B, …, D) and returns (B, …): no reduction over the batch.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from neocog.core import epsilon
from neocog.functional._loss_inputs import loss_pair, matched_pair, positive_part

_LOG_2 = math.log(2.0)


def mean_squared_error(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return mean((y_true - y_pred)²) over the last axis.

    Example:
        >>> mean_squared_error([[0.0, 2.0]], [[1.0, 2.0]])
        tensor([0.5000])
    """
    y_true, y_pred = matched_pair(y_true, y_pred)
    return torch.mean(torch.square(y_true - y_pred), dim=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return mean(|y_true - y_pred|) over the last axis.

    Example:
        >>> mean_absolute_error([[0.0, 2.0]], [[3.0, 2.0]])
        tensor([1.5000])
    """
    y_true, y_pred = matched_pair(y_true, y_pred)
    return torch.mean(torch.abs(y_true - y_pred), dim=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return 100 · mean(|y_true - y_pred| / max(|y_true|, ε)) over the last axis.

    Example:
        >>> mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]])
        tensor([25.])
    """
    y_true, y_pred = matched_pair(y_true, y_pred)
    size = torch.clamp(torch.abs(y_true), min=epsilon())
    return 100.0 * torch.mean(torch.abs((y_true - y_pred) / size), dim=-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return mean((log(max(y_true, ε) + 1) - log(max(y_pred, ε) + 1))²) over the last axis.

    Example:
        >>> mean_squared_logarithmic_error([[0.0]], [[0.0]])
        tensor([0.])
    """
    y_true, y_pred = matched_pair(y_true, y_pred)
    smallest = epsilon()
    first = torch.log(torch.clamp(y_pred, min=smallest) + 1.0)
    second = torch.log(torch.clamp(y_true, min=smallest) + 1.0)
    return torch.mean(torch.square(first - second), dim=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> torch.Tensor:
    """Return -⟨y_true, y_pred⟩ / (‖y_true‖ ‖y_pred‖): -1 for one direction, 0 for orthogonal vectors.

    Args:
        y_true: targets.
        y_pred: predictions.
        axis: axis along which the vectors lie; default the last.

    Example:
        >>> cosine_similarity([[2.0, 0.0]], [[1.0, 0.0]])
        tensor([-1.])
    """
    y_true, y_pred = matched_pair(y_true, y_pred)
    return -torch.sum(_unit(y_true, axis) * _unit(y_pred, axis), dim=axis)


def _unit(x: torch.Tensor, axis: int) -> torch.Tensor:
    # The inverse length is bounded, so that a vector of zeros stays zero.
    inverse = torch.rsqrt(torch.sum(torch.square(x), dim=axis, keepdim=True))
    return x * torch.clamp(inverse, max=1.0 / epsilon())


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> torch.Tensor:
    """Return the mean over the last axis of e²/2 where |e| ≤ δ, else δ|e| - δ²/2, with e = y_pred - y_true.

    Args:
        y_true: targets.
        y_pred: predictions.
        delta: where the parabola turns into a line; default 1.

    Example:
        >>> huber([[0.0, 0.0]], [[1.0, 3.0]])
        tensor([1.5000])

    Reference:
        Huber, Robust Estimation of a Location Parameter, 1964.
    """
    y_true, y_pred = matched_pair(y_true, y_pred)
    error = y_pred - y_true
    size = torch.abs(error)
    inside = 0.5 * torch.square(error)
    return torch.mean(torch.where(size <= delta, inside, delta * size - 0.5 * delta * delta), dim=-1)


def log_cosh(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return mean(log(cosh(y_pred - y_true))) over the last axis, without overflow.

    Example:
        >>> log_cosh([[0.0, 1.0]], [[0.0, 1.0]])
        tensor([0.])
    """
    y_true, y_pred = matched_pair(y_true, y_pred)
    error = y_pred - y_true
    return torch.mean(error + F.softplus(-2.0 * error) - _LOG_2, dim=-1)


def hinge(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return mean(max(1 - y_true · y_pred, 0)) over the last axis; labels 0/1 become -1/1.

    Example:
        >>> hinge([[1.0, 0.0]], [[0.5, -2.0]])
        tensor([0.2500])
    """
    y_true, y_pred = loss_pair(y_true, y_pred)
    return torch.mean(positive_part(1.0 - _signs(y_true) * y_pred), dim=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return mean(max(1 - y_true · y_pred, 0)²) over the last axis; labels 0/1 become -1/1.

    Example:
        >>> squared_hinge([[1.0, 0.0]], [[0.0, -2.0]])
        tensor([0.5000])
    """
    y_true, y_pred = loss_pair(y_true, y_pred)
    return torch.mean(torch.square(positive_part(1.0 - _signs(y_true) * y_pred)), dim=-1)


def _signs(labels: torch.Tensor) -> torch.Tensor:
    # Decided on the device: no sync.
    binary = torch.all((labels == 0) | (labels == 1))
    return torch.where(binary, 2.0 * labels - 1.0, labels)


def categorical_hinge(y_true: Any, y_pred: Any) -> torch.Tensor:
    """Return max(n - p + 1, 0), p = Σ y_true · y_pred, n = max((1 - y_true) · y_pred), over the last axis.

    Example:
        >>> categorical_hinge([[0.0, 1.0]], [[0.6, 0.4]])
        tensor([1.2000])
    """
    y_true, y_pred = loss_pair(y_true, y_pred)
    positive = torch.sum(y_true * y_pred, dim=-1)
    negative = torch.amax((1.0 - y_true) * y_pred, dim=-1)
    return positive_part(negative - positive + 1.0)
