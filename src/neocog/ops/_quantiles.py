"""Quantiles and medians, with and without NaN."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import floatx, result_type, torch_dtype
from neocog.ops._op import as_tensor, op
from neocog.ops._types import axes_of


@op("keras.src.ops.numpy>Quantile", call="x q")
def quantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> torch.Tensor:
    """Return the quantiles of `x` along `axis`; several of them lie along a new first axis.

    Args:
        x: numbers.
        q: which quantiles, a number in [0, 1] or several.
        axis: None for all axes, a number or several.
        method: between two numbers, "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: whether to keep the reduced axes with size 1.

    Example:
        >>> quantile([1.0, 2.0, 3.0, 4.0], 0.5).item()
        2.5
    """
    return _quantile(torch.quantile, x, q, axis, method, keepdims)


@op("keras.src.ops.numpy>Nanquantile", call="x q")
def nanquantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> torch.Tensor:
    """Return the quantiles along `axis` of what is not NaN."""
    return _quantile(torch.nanquantile, x, q, axis, method, keepdims)


@op("keras.src.ops.numpy>Percentile", call="x q")
def percentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> torch.Tensor:
    """Return the quantiles along `axis` for `q` in percent."""
    return _quantile(torch.quantile, x, _of_hundred(q), axis, method, keepdims)


@op("keras.src.ops.numpy>Nanpercentile", call="x q")
def nanpercentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> torch.Tensor:
    """Return the quantiles along `axis` of what is not NaN, for `q` in percent."""
    return _quantile(torch.nanquantile, x, _of_hundred(q), axis, method, keepdims)


@op("keras.src.ops.numpy>Median")
def median(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the median along `axis`: the mean of the two middle numbers where the count is even."""
    return _quantile(torch.quantile, x, 0.5, axis, "linear", keepdims)


@op("keras.src.ops.numpy>Nanmedian")
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    """Return the median along `axis` of what is not NaN."""
    x = as_tensor(x)
    if axis is not None and not axes_of(axis, x.ndim):
        return x  # type: ignore[no-any-return]
    return _quantile(torch.nanquantile, x, 0.5, axis, "linear", keepdims)


def _of_hundred(q: Any) -> torch.Tensor:
    return as_tensor(q, floatx()) / 100.0


def _quantile(find: Any, x: Any, q: Any, axis: Any, method: str, keepdims: bool) -> torch.Tensor:
    x = as_tensor(x)
    result = torch_dtype(result_type(x.dtype, float))
    x = x if x.dtype is torch.float64 else x.to(torch.float32)
    points = as_tensor(q, x.dtype).to(x.device)
    axes = axes_of(axis, x.ndim)
    others = [place for place in range(x.ndim) if place not in axes]
    rows = x.permute(*others, *axes).reshape([x.shape[place] for place in others] + [-1])
    found = find(rows, points, dim=-1, interpolation=method)
    if keepdims:
        for place in sorted(axes):
            found = found.unsqueeze(place + (1 if points.ndim else 0))
    return found.to(result)  # type: ignore[no-any-return]
