"""Reductions that pass over NaN."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import result_type, torch_dtype
from neocog.ops._op import as_tensor, op
from neocog.ops._reductions import amax, amin, argmax, argmin, cumprod, cumsum, prod, sum
from neocog.ops._types import axes_of


@op("keras.src.ops.numpy>Nansum")
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the sum along `axis` with NaN as 0."""
    return sum(torch.nan_to_num(as_tensor(x), nan=0.0, posinf=torch.inf, neginf=-torch.inf), axis, keepdims)


@op("keras.src.ops.numpy>Nanprod")
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the product along `axis` with NaN as 1."""
    x = as_tensor(x)
    return prod(torch.where(torch.isnan(x), 1, x) if x.is_floating_point() else x, axis, keepdims)


@op("keras.src.ops.numpy>Nanmean")
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the mean along `axis` of what is not NaN; NaN where nothing is left."""
    x = as_tensor(x)
    if axis is not None and not axes_of(axis, x.ndim):
        return x  # type: ignore[no-any-return]
    x = x.to(torch_dtype(result_type(x.dtype, float)))
    return torch.nanmean(x, dim=axes_of(axis, x.ndim), keepdim=keepdims)


@op("keras.src.ops.numpy>Nanvar")
def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the variance along `axis` of what is not NaN (divided by its number)."""
    x = as_tensor(x)
    x = x.to(torch_dtype(result_type(x.dtype, float)))
    axes = axes_of(axis, x.ndim)
    if not axes and axis is not None:
        return torch.where(torch.isnan(x), x, 0)
    known = ~torch.isnan(x)
    middle = torch.nanmean(x, dim=axes, keepdim=True)
    apart = torch.where(known, x - middle, 0)
    return apart.square().sum(dim=axes, keepdim=keepdims) / known.sum(dim=axes, keepdim=keepdims)


@op("keras.src.ops.numpy>Nanstd")
def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the standard deviation along `axis` of what is not NaN (divided by its number)."""
    return torch.sqrt(nanvar(x, axis, keepdims))


@op("keras.src.ops.numpy>Nanmax")
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the largest along `axis` of what is not NaN; NaN where nothing is left."""
    return _without_nan(amax, -torch.inf, x, axis, keepdims, torch.nan)


@op("keras.src.ops.numpy>Nanmin")
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the smallest along `axis` of what is not NaN; NaN where nothing is left."""
    return _without_nan(amin, torch.inf, x, axis, keepdims, torch.nan)


@op("keras.src.ops.numpy>Nanargmax")
def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> torch.Tensor:
    """Return the index of the largest along `axis` of what is not NaN; -1 where nothing is left."""
    return _without_nan(argmax, -torch.inf, x, axis, keepdims, -1)


@op("keras.src.ops.numpy>Nanargmin")
def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> torch.Tensor:
    """Return the index of the smallest along `axis` of what is not NaN; -1 where nothing is left."""
    return _without_nan(argmin, torch.inf, x, axis, keepdims, -1)


def _without_nan(find: Any, filler: float, x: Any, axis: Any, keepdims: bool, nothing: float) -> torch.Tensor:
    x = as_tensor(x)
    axes = axes_of(axis, x.ndim)
    if not x.is_floating_point() or not axes:
        return find(x, axis, keepdims)  # type: ignore[no-any-return]
    missing = torch.isnan(x)
    found = find(torch.where(missing, filler, x), axis, keepdims)
    return torch.where(torch.all(missing, dim=axes, keepdim=keepdims), nothing, found)


@op("keras.src.ops.numpy>Nancumsum")
def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> torch.Tensor:
    """Return the running sums along `axis` with NaN as 0; None flattens first."""
    return cumsum(torch.nan_to_num(as_tensor(x)), axis, dtype)


@op("keras.src.ops.numpy>Nancumprod")
def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> torch.Tensor:
    """Return the running products along `axis` with NaN as 1; None flattens first."""
    return cumprod(torch.nan_to_num(as_tensor(x), nan=1.0), axis, dtype)
