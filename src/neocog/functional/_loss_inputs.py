"""How targets and predictions meet before a loss formula: float tensors, one device, matching ranks."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import to_tensor
from neocog.exceptions import ShapeError, message

_PRECISE = (torch.float32, torch.float64)


def precise(values: Any) -> torch.Tensor:
    """Return `values` as a float32 or float64 tensor: losses are never computed in half precision."""
    tensor = values if isinstance(values, torch.Tensor) else to_tensor(values)
    return tensor if tensor.dtype in _PRECISE else tensor.to(torch.float32)


def loss_pair(y_true: Any, y_pred: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both as tensors with the float type and on the device of `y_pred`."""
    y_pred = precise(y_pred)
    y_true = y_true if isinstance(y_true, torch.Tensor) else to_tensor(y_true)
    return y_true.to(y_pred), y_pred


def matched_pair(y_true: Any, y_pred: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return `loss_pair` with ranks made equal by `match_ranks`."""
    return match_ranks(*loss_pair(y_true, y_pred))


def match_ranks(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Make the ranks equal where they differ by one trailing axis of size 1.

    A vector is expanded to meet (B, 1); otherwise the longer shape loses its last axis.

    Example:
        >>> a, b = match_ranks(torch.zeros(4), torch.zeros(4, 1))
        >>> tuple(a.shape), tuple(b.shape)
        ((4, 1), (4, 1))
    """
    difference = first.dim() - second.dim()
    if difference == 1 and first.shape[-1] == 1:
        return (first, second.unsqueeze(-1)) if second.dim() == 1 else (first.squeeze(-1), second)
    if difference == -1 and second.shape[-1] == 1:
        return (first.unsqueeze(-1), second) if first.dim() == 1 else (first, second.squeeze(-1))
    return first, second


def class_labels(y_true: Any, y_pred: torch.Tensor) -> torch.Tensor:
    """Return integer labels (int64) on the device of `y_pred`."""
    labels = y_true if isinstance(y_true, torch.Tensor) else to_tensor(y_true)
    return labels.to(device=y_pred.device, dtype=torch.int64)


def require_same_shape(where: str, y_true: torch.Tensor, y_pred: torch.Tensor) -> None:
    """Raise `ShapeError` unless both have one shape of at least one axis."""
    if y_true.shape != y_pred.shape or y_pred.dim() < 1:
        raise ShapeError(
            message(
                where,
                expected=f"targets of the shape of the predictions, {tuple(y_pred.shape)}",
                got=tuple(y_true.shape),
            )
        )


def require_int_axis(where: str, axis: Any) -> None:
    """Raise `ShapeError` where `axis` is a bool: a misplaced positional argument."""
    if isinstance(axis, bool):
        raise ShapeError(message(where, expected="axis to be a whole number", got=axis))


def positive_part(x: torch.Tensor) -> torch.Tensor:
    """Return max(x, 0); where x is 0 the gradient is ½, the mean of both sides (Keras's)."""
    return torch.maximum(x, torch.zeros((), dtype=x.dtype, device=x.device))
