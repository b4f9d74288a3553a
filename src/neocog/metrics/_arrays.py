"""How targets, predictions and weights meet: as tensors, on one device, with matching ranks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from neocog.core import to_tensor
from neocog.exceptions import ShapeError, message

_NARROW = (torch.bfloat16, torch.float16)
Reduce = Callable[..., torch.Tensor]


def pair(y_true: Any, y_pred: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both as tensors on the device of `y_pred`; half-precision predictions become float32."""
    y_pred = y_pred if isinstance(y_pred, torch.Tensor) else to_tensor(y_pred)
    if y_pred.dtype in _NARROW:
        y_pred = y_pred.float()
    if not isinstance(y_true, torch.Tensor):
        y_true = to_tensor(y_true)
    if y_true.device != y_pred.device:
        y_true = y_true.to(y_pred.device)
    return y_true, y_pred


def match_ranks(
    first: torch.Tensor, second: torch.Tensor, *, expand_vectors: bool = True
) -> tuple[torch.Tensor, torch.Tensor]:
    """Make the ranks equal where they differ by one trailing axis of size 1.

    A vector is expanded to meet `(B, 1)`; in all other cases the longer shape loses its last axis.
    """
    if first.dim() == second.dim() + 1 and first.shape[-1] == 1:
        if second.dim() == 1 and expand_vectors:
            return first, second.unsqueeze(-1)
        return first.squeeze(-1), second
    if second.dim() == first.dim() + 1 and second.shape[-1] == 1:
        if first.dim() == 1 and expand_vectors:
            return first.unsqueeze(-1), second
        return first, second.squeeze(-1)
    return first, second


def float_pair(
    y_true: Any, y_pred: Any, dtype: torch.dtype | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both with one float type (that of `y_pred`, or `dtype`) and matching ranks."""
    y_true, y_pred = pair(y_true, y_pred)
    kind = dtype or (y_pred.dtype if y_pred.is_floating_point() else torch.get_default_dtype())
    return match_ranks(y_true.to(kind), y_pred.to(kind))


def per_sample(
    values: torch.Tensor, sample_weight: Any, reduce: Reduce, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Reduce values, and weights where given, to one number a sample: `(B,)` each."""
    values = values.to(dtype)
    weights: torch.Tensor | None = None
    if sample_weight is not None:
        weights = to_tensor(sample_weight, dtype=dtype, device=values.device)
        values, weights = match_ranks(values, weights)
        rank = weights.dim()
        if values.dim() > rank:
            values = reduce(values, dim=tuple(range(rank, values.dim())))
        weights = spread(weights, values.shape)
        values = values * weights
        if rank > 1:
            weights = reduce(weights, dim=tuple(range(1, rank)))
    if values.dim() > 1:
        values = reduce(values, dim=tuple(range(1, values.dim())))
    return values, weights


def without_masked(sample_weight: Any, mask: torch.Tensor | None, y_pred: torch.Tensor) -> Any:
    """Return sample weights that are 0 where the mask of the predictions is False."""
    if mask is None:
        return sample_weight
    counted = mask.to(device=y_pred.device, dtype=torch.float32)
    if sample_weight is None:
        return counted
    counted, weights = match_ranks(
        counted, to_tensor(sample_weight, dtype=torch.float32, device=y_pred.device)
    )
    return weights * counted


def spread(weights: torch.Tensor, shape: torch.Size | tuple[int, ...]) -> torch.Tensor:
    """Broadcast sample weights to `shape`.

    Raises:
        ShapeError: they do not fit.
    """
    try:
        return weights.broadcast_to(shape)
    except RuntimeError as error:
        raise ShapeError(
            message(
                "sample_weight",
                expected=f"weights that fit values of shape {tuple(shape)}",
                got=f"shape {tuple(weights.shape)}",
                do="Give one weight a sample, or one a value.",
            )
        ) from error


def divide_no_nan(top: torch.Tensor, bottom: torch.Tensor) -> torch.Tensor:
    """Return `top / bottom`, and 0 where `bottom` is 0."""
    safe = torch.where(bottom == 0, torch.ones_like(bottom), bottom)
    return torch.where(bottom == 0, torch.zeros_like(safe), top / safe)
