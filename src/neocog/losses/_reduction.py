"""From one loss a sample to one number: masks, sample weights, and the reductions."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import to_tensor
from neocog.exceptions import ArgumentError, ShapeError, message, nearest
from neocog.functional import match_ranks

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)
AVERAGES = ("sum_over_batch_size", "mean", "mean_with_sample_weight")


def check_reduction(where: str, reduction: Any) -> str | None:
    """Return `reduction`, which must be one of Keras's."""
    if reduction in REDUCTIONS:
        return reduction  # type: ignore[no-any-return]
    names = [name for name in REDUCTIONS if name]
    close = nearest(reduction, names) if isinstance(reduction, str) else []
    hint = f"Did you mean {close[0]!r}?" if close else ""
    raise ArgumentError(
        message(where, expected=f"reduction to be one of {REDUCTIONS}", got=repr(reduction), do=hint)
    )


def reduce_loss(
    values: torch.Tensor,
    sample_weight: Any = None,
    mask: torch.Tensor | None = None,
    reduction: str | None = "sum_over_batch_size",
) -> torch.Tensor:
    """Return the weighted sum or mean of loss values, or the weighted values themselves.

    Args:
        values: one loss a sample, any shape.
        sample_weight: weights that broadcast to `values`; a trailing axis of size 1 is added or dropped.
        mask: what counts; means are taken over what counts.
        reduction: as in Keras.

    Raises:
        ShapeError: the weights do not fit.
    """
    weights = _weights(values, sample_weight, mask, reduction)
    if weights is not None:
        values, weights = match_ranks(values, weights)
        try:
            values = values * weights
        except RuntimeError as error:
            expected = f"sample weights for losses of shape {tuple(values.shape)}"
            raise ShapeError(message("sample_weight", expected=expected, got=tuple(weights.shape))) from error
    if reduction is None or reduction == "none" or values.dim() == 0 or values.shape == (0,):
        return values
    if reduction == "sum" or values.numel() == 0:
        return torch.sum(values)
    if weights is not None and reduction == "mean_with_sample_weight":
        return _divided(torch.sum(values), torch.sum(weights))
    return torch.mean(values)


def _weights(
    values: torch.Tensor, sample_weight: Any, mask: torch.Tensor | None, reduction: str | None
) -> torch.Tensor | None:
    weights = None if sample_weight is None else to_tensor(sample_weight).to(values)
    if mask is None:
        return weights
    counted = mask.to(values)
    if reduction in ("mean", "sum_over_batch_size"):
        # Scaled so that the mean over all positions becomes the mean over those that count.
        valid = counted.sum()
        counted = counted * _divided(torch.full_like(valid, counted.numel()), valid)
    if weights is None:
        return counted
    counted, weights = match_ranks(counted, weights)
    return weights * counted


def _divided(top: torch.Tensor, bottom: torch.Tensor) -> torch.Tensor:
    # 0 where the divisor is 0, decided on the device: no sync.
    zero = bottom == 0
    return torch.where(zero, 0.0, top / torch.where(zero, 1.0, bottom))
