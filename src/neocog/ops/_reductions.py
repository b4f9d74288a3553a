"""Reductions along axes: sums, means, extremes, and running sums.

`axis` is None for all axes, a number or several; an empty one reduces nothing. `keepdims` keeps the reduced
axes with size 1.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from neocog.core import result_type, torch_dtype
from neocog.exceptions import ArgumentError, message
from neocog.ops._op import as_tensor, op, together
from neocog.ops._types import axes_of, floats, sum_type


@op("keras.src.ops.numpy>Sum")
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the sum along `axis`; of booleans and short integers, as int32.

    Example:
        >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=1).tolist()
        [3.0, 7.0]
    """
    x = as_tensor(x)
    axes = axes_of(axis, x.ndim)
    if not axes and axis is not None:
        return x  # type: ignore[no-any-return]
    return torch.sum(x, dim=axes, keepdim=keepdims, dtype=sum_type(x.dtype))


@op("keras.src.ops.numpy>Mean")
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the mean along `axis`; of integers and booleans, as floats.

    Example:
        >>> mean([[1, 2], [3, 4]], axis=0).tolist()
        [2.0, 3.0]
    """
    x = as_tensor(x)
    axes = axes_of(axis, x.ndim)
    return torch.mean(floats(x), dim=axes, keepdim=keepdims) if axes or axis is None else x


@op("keras.src.ops.numpy>Average", call="x weights")
def average(x: Any, axis: Any = None, weights: Any = None) -> torch.Tensor:
    """Return the mean along `axis`, weighted by `weights` (in the shape of `x`, or a row along `axis`)."""
    x = as_tensor(x)
    axes = axes_of(axis, x.ndim)
    if weights is None:
        mean_type = torch_dtype(result_type(x.dtype, float))
        return torch.mean(x.to(mean_type), dim=axes) if axes or axis is None else x.to(mean_type)
    x, weights = together(x, weights)
    dtype = torch_dtype(result_type(x.dtype, weights.dtype, float))
    x, weights = x.to(dtype), weights.to(dtype)
    if not axes and axis is not None:
        return x  # type: ignore[no-any-return]
    if weights.ndim == 1 and len(axes) == 1:
        weights = weights.reshape([-1 if place == axes[0] else 1 for place in range(x.ndim)])
    total = torch.sum(weights.expand(x.shape), dim=axes)
    return torch.sum(x * weights, dim=axes) / total


@op("keras.src.ops.numpy>Prod")
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> torch.Tensor:
    """Return the product along `axis`; of booleans and short integers, as int32."""
    x = as_tensor(x)
    narrow = torch_dtype(result_type(x.dtype))
    wanted = torch_dtype(dtype) if dtype is not None else sum_type(narrow)
    return _product(x.to(wanted), axes_of(axis, x.ndim), keepdims)


def _product(x: torch.Tensor, axes: tuple[int, ...], keepdims: bool) -> torch.Tensor:
    """Return the product along several axes."""
    result = x.dtype
    if result in (torch.float16, torch.bfloat16):
        x = x.to(torch.float32)
    for axis in sorted(axes, reverse=True):
        x = torch.prod(x, dim=axis, keepdim=keepdims, dtype=x.dtype)
    return x.to(result)


@op("keras.src.ops.numpy>Std")
def std(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the standard deviation along `axis` (divided by n, as in NumPy)."""
    x = floats(x)
    return torch.sqrt(_variance(x, axes_of(axis, x.ndim), keepdims))


@op("keras.src.ops.numpy>Var")
def var(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the variance along `axis` (divided by n, as in NumPy)."""
    x = as_tensor(x)
    dtype = torch_dtype(result_type(x.dtype, float))
    return _variance(floats(x), axes_of(axis, x.ndim), keepdims).to(dtype)


def _variance(x: torch.Tensor, axes: tuple[int, ...], keepdims: bool) -> torch.Tensor:
    if not axes:
        return torch.zeros_like(x)
    return torch.var(x, dim=axes, keepdim=keepdims, correction=0)


@op("keras.src.ops.numpy>All")
def all(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return whether all are true (not 0) along `axis`."""
    x = as_tensor(x).to(torch.bool)
    return (
        torch.all(x, dim=axes_of(axis, x.ndim), keepdim=keepdims)
        if axis is None or axes_of(axis, x.ndim)
        else x
    )


@op("keras.src.ops.numpy>Any")
def any(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return whether one is true (not 0) along `axis`."""
    x = as_tensor(x).to(torch.bool)
    return (
        torch.any(x, dim=axes_of(axis, x.ndim), keepdim=keepdims)
        if axis is None or axes_of(axis, x.ndim)
        else x
    )


@op("keras.src.ops.numpy>CountNonzero")
def count_nonzero(x: Any, axis: Any = None) -> torch.Tensor:
    """Return how many are not 0 along `axis`."""
    found = torch.ne(as_tensor(x), 0)
    axes = axes_of(axis, found.ndim)
    return torch.sum(found, dim=axes, dtype=torch.int32) if axes or axis is None else found.to(torch.int32)


@op("keras.src.ops.numpy>Amax")
def amax(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the largest along `axis`."""
    return _extreme("amax", x, axis, keepdims, None)


@op("keras.src.ops.numpy>Amin")
def amin(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the smallest along `axis`."""
    return _extreme("amin", x, axis, keepdims, None)


@op("keras.src.ops.numpy>Max")
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> torch.Tensor:
    """Return the largest along `axis`, and at least `initial`, which empty tensors need.

    Example:
        >>> max([[1, 5], [3, 2]], axis=-1).tolist()
        [5, 3]
    """
    return _extreme("amax", x, axis, keepdims, initial)


@op("keras.src.ops.numpy>Min")
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> torch.Tensor:
    """Return the smallest along `axis`, and at most `initial`, which empty tensors need."""
    return _extreme("amin", x, axis, keepdims, initial)


def _extreme(kind: str, x: Any, axis: Any, keepdims: bool, initial: Any) -> torch.Tensor:
    x = as_tensor(x)
    axes = axes_of(axis, x.ndim)
    if math.prod(x.shape[place] for place in axes) == 0:
        if initial is None:
            got = f"a tensor of shape {tuple(x.shape)}"
            raise ArgumentError(
                message(f"ops.{kind[1:]}", expected="numbers to compare", got=got, do="Give `initial`.")
            )
        kept = [1 if place in axes else size for place, size in enumerate(x.shape)]
        sizes = kept if keepdims else [size for place, size in enumerate(x.shape) if place not in axes]
        return as_tensor(initial).to(x.device).expand(sizes)
    found = getattr(torch, kind)(x, dim=axes, keepdim=keepdims) if axes else x
    if initial is None:
        return found  # type: ignore[no-any-return]
    bound = as_tensor(initial, found.dtype).to(found.device)
    return torch.maximum(found, bound) if kind == "amax" else torch.minimum(found, bound)


@op("keras.src.ops.numpy>Ptp")
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the largest minus the smallest along `axis`."""
    x = as_tensor(x)
    if not axes_of(axis, x.ndim):
        return torch.zeros_like(x)
    return _extreme("amax", x, axis, keepdims, None) - _extreme("amin", x, axis, keepdims, None)


@op("keras.src.ops.numpy>Argmax")
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> torch.Tensor:
    """Return the index of the largest along `axis`; None counts through the flattened tensor.

    Example:
        >>> argmax([[0.1, 0.9], [0.8, 0.2]], axis=-1).tolist()
        [1, 0]
    """
    return torch.argmax(comparable(x), dim=axis, keepdim=keepdims).to(torch.int32)


@op("keras.src.ops.numpy>Argmin")
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> torch.Tensor:
    """Return the index of the smallest along `axis`; None counts through the flattened tensor."""
    return torch.argmin(comparable(x), dim=axis, keepdim=keepdims).to(torch.int32)


def comparable(x: Any) -> torch.Tensor:
    """Return `x` as something that torch sorts: booleans as integers."""
    x = as_tensor(x)
    return x.to(torch.uint8) if x.dtype is torch.bool else x  # type: ignore[no-any-return]


@op("keras.src.ops.numpy>Cumsum")
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> torch.Tensor:
    """Return the running sums along `axis`; None flattens first."""
    x, dim, wanted = _running(x, axis, dtype)
    return torch.cumsum(x, dim=dim, dtype=wanted)


@op("keras.src.ops.numpy>Cumprod")
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> torch.Tensor:
    """Return the running products along `axis`; None flattens first."""
    x, dim, wanted = _running(x, axis, dtype)
    return torch.cumprod(x, dim=dim, dtype=wanted)


def _running(x: Any, axis: int | None, dtype: Any) -> tuple[torch.Tensor, int, torch.dtype]:
    x = as_tensor(x)
    wanted = torch_dtype(result_type(dtype or x.dtype))
    wanted = torch.int32 if wanted is torch.bool else wanted
    return (x.flatten(), 0, wanted) if axis is None else (x, axis, wanted)


@op("keras.src.ops.math>Logsumexp")
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return log(sum(exp(x))) along `axis` without overflow."""
    x = as_tensor(x)
    return torch.logsumexp(x, dim=axes_of(axis, x.ndim), keepdim=keepdims)
