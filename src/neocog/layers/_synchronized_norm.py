"""Normalisation by the moments of all processes' rows, differentiable, on a CPU (gloo) as on a GPU (NCCL).

Torch's own `SyncBatchNorm` knows GPUs alone, and no processes without rows.

Letters: N rows, C channels.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import distributed

from neocog.core import own_rows


def in_company() -> bool:
    """Return whether there are other processes to share moments with."""
    there = distributed.is_available() and distributed.is_initialized()
    return there and distributed.get_world_size() > 1


def rows_count() -> bool:
    """Return whether the rows under way are this process's own, and not stand-ins for none."""
    rows = own_rows()
    return rows is None or not rows.stands_in


class Normalized(torch.autograd.Function):
    """`gamma (x - mean) / sqrt(variance + epsilon) + beta` with the moments of all processes' rows.

    One exchange forward (count, mean and squared deviations of each process) and one backward (two sums a
    channel). Each process's gradients are those of the sum of all processes' losses.

    Shapes: x (N, C, …); weight and bias (C,) or None; gives the outputs, the mean (C,), the variance (C,).
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: Any, bias: Any, epsilon: float, counts: bool) -> Any:
        """Compute the outputs and the moments; without `counts` the rows are normalised, and not counted."""
        count, mean, variance = _moments(x, counts)
        kind = torch.promote_types(x.dtype, torch.float32)
        mean, variance = mean.to(kind), variance.to(kind)
        outputs = torch.batch_norm(x, weight, bias, mean, variance, False, 0.0, epsilon, False)
        ctx.save_for_backward(x, weight, mean, torch.rsqrt(variance + epsilon), count.to(kind))
        ctx.counts, ctx.has_bias = counts, bias is not None
        ctx.mark_non_differentiable(mean, variance)
        return outputs, mean, variance

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Return the gradients of x, weight and bias."""
        x, weight, mean, rate, count = ctx.saved_tensors
        shape = (1, -1, *(1,) * (x.dim() - 2))
        others = [axis for axis in range(x.dim()) if axis != 1]
        grad = grads[0].to(mean.dtype)
        normal = (x.to(mean.dtype) - mean.reshape(shape)) * rate.reshape(shape)
        own = torch.stack([grad.sum(others), (grad * normal).sum(others)])  # (2, C)
        sums = own.clone()
        distributed.all_reduce(sums)
        scale = rate if weight is None else rate * weight.to(rate.dtype)
        from_moments = torch.zeros_like(sums) if not ctx.counts else sums / count
        back = grad - from_moments[0].reshape(shape) - normal * from_moments[1].reshape(shape)
        dx = (back * scale.reshape(shape)).to(x.dtype)
        d_weight = None if weight is None else own[1].to(weight.dtype)
        return dx, d_weight, own[0].to(mean.dtype) if ctx.has_bias else None, None, None


def _moments(x: torch.Tensor, counts: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the count, the mean (C,) and the biased variance (C,) over all processes, in float64.

    Each process sends its own count, mean and sum of squared deviations, which are put together by the
    formula of Chan, Golub and LeVeque: no difference of large sums.
    """
    others = [axis for axis in range(x.dim()) if axis != 1]
    channels, count = x.shape[1], x.numel() // x.shape[1] if counts else 0
    own = x.new_zeros((2 * channels + 1,), dtype=torch.float64)
    if count:
        variance, mean = torch.var_mean(
            x.to(torch.promote_types(x.dtype, torch.float32)), others, correction=0
        )
        own[0] = count
        own[1 : channels + 1] = mean
        own[channels + 1 :] = variance.double() * count
    gathered = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    distributed.all_gather(gathered, own)
    table = torch.stack(gathered)  # (processes, 1 + 2 C)
    counted, means, squares = table[:, :1], table[:, 1 : channels + 1], table[:, channels + 1 :]
    total = counted.sum().clamp(min=1.0)
    mean = (counted * means).sum(0) / total
    variance = (squares.sum(0) + (counted * (means - mean).square()).sum(0)) / total
    return total, mean, variance


class SumOverAll(torch.autograd.Function):
    """The sum of a tensor over all processes; gradients are summed over them likewise."""

    @staticmethod
    def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:
        """Return the sum."""
        total = value.detach().clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Return the sum of the gradients."""
        total = grads[0].contiguous().clone()
        distributed.all_reduce(total)
        return total


def sum_over_all(value: torch.Tensor) -> torch.Tensor:
    """Return the differentiable sum over all processes."""
    return SumOverAll.apply(value)  # type: ignore[no-any-return,no-untyped-call]
