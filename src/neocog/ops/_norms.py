"""Statistics and normalisations as operations."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch

from neocog.core import check_int
from neocog.core import epsilon as small_constant
from neocog.exceptions import ArgumentError, message
from neocog.ops._op import as_tensor, op, together
from neocog.ops._shared import as_float

Axes = int | Sequence[int]


@op("keras.src.ops.nn>Moments")
def moments(
    x: Any, axes: Axes, keepdims: bool = False, synchronized: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and variance of `x` over `axes`; float16 is computed in float32.

    Args:
        x: tensor of any shape.
        axes: one axis or several.
        keepdims: whether the axes stay, with size 1.
        synchronized: not supported; must be False.

    Example:
        >>> moments(torch.tensor([1.0, 3.0]), 0)
        (tensor(2.), tensor(1.))
    """
    if synchronized:
        raise ArgumentError(message("ops.moments", expected="synchronized=False", got="True"))
    x = as_float(as_tensor(x))
    work = x.float() if x.dtype == torch.float16 else x
    axes = axes if isinstance(axes, int) else tuple(axes)
    variance, mean = torch.var_mean(work, dim=axes, correction=0, keepdim=keepdims)
    if work.dtype != x.dtype:
        limit = torch.finfo(x.dtype).max
        return mean.clamp(-limit, limit).to(x.dtype), variance.clamp(-limit, limit).to(x.dtype)
    return mean, variance


@op("keras.src.ops.nn>BatchNorm", call="x mean variance offset scale")
def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> torch.Tensor:
    """Return (x - mean) / √(variance + ε) · scale + offset, with one number for each entry of `axis`.

    Args:
        x: tensor of any shape.
        mean: means, (size of `axis`,).
        variance: variances, likewise.
        axis: the axis, usually that of the channels.
        offset: added at the end, likewise; None for 0.
        scale: factor, likewise; None for 1.
        epsilon: keeps the root from 0.

    Example:
        >>> batch_normalization(torch.tensor([[3.0]]), [1.0], [4.0], axis=-1, epsilon=0.0)
        tensor([[1.]])
    """
    values, center, spread = together(as_float(as_tensor(x)), mean, variance)
    shape = [1] * values.dim()
    shape[axis] = -1
    factor = torch.rsqrt(spread.reshape(shape) + epsilon)
    if scale is not None:
        factor = factor * as_tensor(scale).to(factor.device).reshape(shape)
    outputs = (values - center.reshape(shape)) * factor
    if offset is not None:
        outputs = outputs + as_tensor(offset).to(outputs.device).reshape(shape)
    return outputs.to(values.dtype)


@op("keras.src.ops.nn>LayerNorm", call="x gamma beta")
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Axes = -1, epsilon: float | None = None, **kwargs: Any
) -> torch.Tensor:
    """Return (x - mean) / √(variance + ε) · γ + β, with mean and variance over `axis` of each sample.

    Args:
        x: tensor of any shape.
        gamma: factors, of the sizes of `axis`; None for 1.
        beta: offsets, likewise; None for 0.
        axis: one axis or several.
        epsilon: keeps the root from 0; None for `epsilon()`.
        **kwargs: `rms_scaling`, which Keras has deprecated: x / √(variance + ε) · γ.

    Example:
        >>> layer_normalization(torch.tensor([[1.0, 3.0]]))
        tensor([[-1.,  1.]])

    Reference:
        Ba et al., Layer Normalization, 2016.
    """
    rms_scaling = kwargs.pop("rms_scaling", False)
    if kwargs:
        raise ArgumentError(
            message("ops.layer_normalization", expected="no other arguments", got=sorted(kwargs))
        )
    values = as_float(as_tensor(x))
    work = values.float() if values.dtype in (torch.float16, torch.bfloat16) else values
    axes = sorted(number % values.dim() for number in ((axis,) if isinstance(axis, int) else axis))
    variance, mean = torch.var_mean(work, dim=axes, correction=0, keepdim=True)
    if rms_scaling:
        warnings.warn(
            "ops.layer_normalization: rms_scaling is deprecated; use ops.rms_normalization.",
            DeprecationWarning,
            stacklevel=3,
        )
        mean = torch.zeros_like(mean)
    small = small_constant() if epsilon is None else epsilon
    outputs = (work - mean) * torch.rsqrt(variance + small)
    outputs = outputs if gamma is None else outputs * _along(gamma, outputs, axes)
    if beta is not None and not rms_scaling:
        outputs = outputs + _along(beta, outputs, axes)
    return outputs.to(values.dtype)


@op("keras.src.ops.nn>RMSNorm", call="x scale")
def rms_normalization(
    x: Any, scale: Any = None, axis: Axes = -1, epsilon: float | None = None
) -> torch.Tensor:
    """Return x / √(mean(x²) + ε) · scale, with the mean over `axis` of each sample.

    Args:
        x: tensor of any shape.
        scale: factors, of the sizes of `axis`; None for 1.
        axis: one axis or several.
        epsilon: keeps the root from 0; None for `epsilon()`.

    Example:
        >>> rms_normalization(torch.tensor([[3.0, 3.0]]))
        tensor([[1., 1.]])

    Reference:
        Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.
    """
    values = as_float(as_tensor(x))
    values = values.unsqueeze(0) if values.dim() == 0 else values
    work = values.float() if values.dtype in (torch.float16, torch.bfloat16) else values
    axes = sorted(number % values.dim() for number in ((axis,) if isinstance(axis, int) else axis))
    small = small_constant() if epsilon is None else epsilon
    outputs = work * torch.rsqrt(work.square().mean(dim=axes, keepdim=True) + small)
    return (outputs if scale is None else outputs * _along(scale, outputs, axes)).to(values.dtype)


@op("keras.src.ops.nn>Normalize")
def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> torch.Tensor:
    """Return `x` divided by its norm along `axis`, which counts as `epsilon` at least.

    Args:
        x: tensor of any shape.
        axis: one axis, or two for the norms of matrices.
        order: p of the norm, a whole number of 1 or more.
        epsilon: least norm; None for `epsilon()`.

    Example:
        >>> normalize(torch.tensor([3.0, 4.0]))
        tensor([0.6000, 0.8000])
    """
    order = check_int("ops.normalize", "order", order, minimum=1)
    values = as_float(as_tensor(x))
    values = values.unsqueeze(0) if values.dim() == 0 else values
    small = small_constant() if epsilon is None else epsilon
    axes = axis if isinstance(axis, int) or axis is None else tuple(axis)
    if order == 2:
        inverse = torch.rsqrt(values.square().sum(dim=axes, keepdim=True))
        return values * inverse.clamp(max=1.0 / small)
    norm: torch.Tensor = torch.linalg.norm(values, ord=order, dim=axes, keepdim=True)
    return values / norm.clamp(min=small)


def _along(values: Any, outputs: torch.Tensor, axes: Sequence[int]) -> torch.Tensor:
    """Return factors or offsets so that they lie along `axes` of `outputs`."""
    tensor = as_tensor(values).to(outputs)
    if tensor.dim() == outputs.dim():
        return tensor
    shape = [size if axis in axes else 1 for axis, size in enumerate(outputs.shape)]
    return tensor.reshape(shape)
