"""Order, counts, bins."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import dtype_name, result_type, torch_dtype
from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.graph import TensorSpec
from neocog.ops._op import as_tensor, op, together
from neocog.ops._reductions import comparable


@op("keras.src.ops.numpy>Sort")
def sort(x: Any, axis: int | None = -1) -> torch.Tensor:
    """Return `x` in rising order along `axis`; None flattens first."""
    x = as_tensor(x)
    x, dim = (x.reshape(-1), 0) if axis is None else (x, axis)
    return torch.sort(comparable(x), dim=dim).values.to(x.dtype)


@op("keras.src.ops.numpy>Argsort")
def argsort(x: Any, axis: int | None = -1) -> torch.Tensor:
    """Return the indices that put `x` in rising order along `axis`, equal ones as they stand.

    Example:
        >>> argsort([30, 10, 20]).tolist()
        [1, 2, 0]
    """
    x = comparable(x)
    x, dim = (x.reshape(-1), 0) if axis is None else (x, axis)
    return torch.argsort(x, dim=dim, stable=True).to(torch.int32)


@op("keras.src.ops.numpy>Argpartition")
def argpartition(x: Any, kth: int, axis: int | None = -1) -> torch.Tensor:
    """Return indices that put the `kth` smallest entry in its place, smaller ones before, larger after."""
    x = comparable(x)
    x, dim = (x.reshape(-1), 0) if axis is None else (x, axis)
    if not -x.shape[dim] <= kth < x.shape[dim]:
        raise ArgumentError(
            message("ops.argpartition", expected=f"kth within {x.shape[dim]} entries", got=kth)
        )
    return torch.argsort(x, dim=dim, stable=True).to(torch.int32)


@op("keras.src.ops.math>TopK")
def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    """Return the `k` largest along the last axis, and their indices.

    Example:
        >>> values, indices = top_k([1.0, 5.0, 3.0], 2)
        >>> values.tolist(), indices.tolist()
        ([5.0, 3.0], [1, 2])
    """
    return torch.topk(as_tensor(x), k, sorted=sorted)


@op("keras.src.ops.math>InTopK", call="targets predictions")
def in_top_k(targets: Any, predictions: Any, k: int) -> torch.Tensor:
    """Return whether each target class's prediction is among the `k` largest of its row, ties included."""
    targets, predictions = together(targets, predictions)
    own = torch.take_along_dim(predictions, targets.long()[:, None], dim=-1)
    return torch.any(own >= torch.topk(predictions, k).values, dim=-1)


@op("keras.src.ops.numpy>SearchSorted", call="sorted_sequence values")
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> torch.Tensor:
    """Return where each value belongs in a sorted row: before equal ones, or after (side="right")."""
    row, values = together(sorted_sequence, values)
    if row.ndim != 1:
        got = f"shape {tuple(row.shape)}"
        raise ArgumentError(message("ops.searchsorted", expected="one sorted row", got=got))
    dtype = torch.promote_types(row.dtype, values.dtype)
    places = torch.searchsorted(row.to(dtype), values.to(dtype), side=side)
    return places.to(torch.int32) if row.shape[0] < 2**31 else places


@op("keras.src.ops.numpy>Digitize", call="x bins")
def digitize(x: Any, bins: Any) -> torch.Tensor:
    """Return the bin of each number: how many of the rising bounds `bins` are not above it."""
    x, bins = together(x, bins)
    dtype = torch.promote_types(comparable(x).dtype, bins.dtype)
    return torch.searchsorted(bins.to(dtype), x.to(dtype), side="right").to(torch.int32)


def _bincount_specs(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> TensorSpec:
    dtype = "int32" if weights is None else result_type(x.dtype, _dtype_of(weights))
    return TensorSpec((*x.shape[:-1], None), dtype)


def _dtype_of(value: Any) -> Any:
    return value.dtype if isinstance(value, TensorSpec) else as_tensor(value).dtype


@op("keras.src.ops.numpy>Bincount", specs=_bincount_specs)
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> torch.Tensor:
    """Return how often each of 0, 1, 2, … occurs in a row (or in each row) of integers.

    Args:
        x: a row, or a matrix of rows, of integers of 0 or more.
        weights: what each entry counts, in the shape of `x`; None counts 1.
        minlength: how many counts there are at least.
        sparse: must be False: torch has no sparse counts.

    Example:
        >>> bincount([0, 2, 2], minlength=4).tolist()
        [1, 0, 2, 0]
    """
    if sparse:
        raise ArgumentError(message("ops.bincount", expected="sparse=False", got="sparse=True"))
    x = as_tensor(x)
    counts = torch.ones_like(x, dtype=torch.int32)
    if weights is not None:
        x, counts = together(x, weights)
        counts = counts.to(torch_dtype(result_type(x.dtype, counts.dtype)))
    length = max(minlength, int(x.max()) + 1 if x.numel() else 0)
    totals = torch.zeros((*x.shape[:-1], length), dtype=counts.dtype, device=x.device)
    return totals.scatter_add(-1, x.long(), counts.expand(x.shape))


@op("keras.src.ops.numpy>Histogram")
def histogram(
    x: Any, bins: int = 10, range: tuple[float, float] | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how many numbers of a row fall into each of `bins` equal bins over `range`, and the bins' edges.

    Args:
        x: a row of numbers.
        bins: how many bins.
        range: lowest and highest edge; None takes them from `x`.
    """
    if not isinstance(bins, int):
        raise ArgumentTypeError(message("ops.histogram", expected="an integer number of bins", got=bins))
    if bins < 0 or (range and (len(range) < 2 or range[1] < range[0])):
        expected = "0 bins or more over a rising range"
        raise ArgumentError(message("ops.histogram", expected=expected, got=f"{bins} over {range}"))
    x = as_tensor(x)
    if x.ndim != 1:
        raise ArgumentError(
            message("ops.histogram", expected="a row of numbers", got=f"shape {tuple(x.shape)}")
        )
    low, high = range or (0.0, 1.0)
    if not range and x.numel():
        low, high = float(x.detach().min()), float(x.detach().max())
    low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
    edges = torch.linspace(low, high, bins + 1, dtype=x.dtype, device=x.device)
    place = torch.searchsorted(edges, x.detach(), side="right") - 1
    place = torch.where(x == edges[-1], bins - 1, place)
    inside = (x >= edges[0]) & (x <= edges[-1])
    counts = torch.zeros(bins, dtype=x.dtype, device=x.device)
    return counts.scatter_add(0, place.clamp(0, max(bins - 1, 0)), inside.to(x.dtype)), edges


def _unique_specs(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    found = (
        [size] if axis is None else [size if place == axis % x.ndim else n for place, n in enumerate(x.shape)]
    )
    specs = [TensorSpec(found, dtype_name(x.dtype))]
    if return_index:
        specs.append(TensorSpec((size,), "int64"))
    if return_inverse:
        specs.append(TensorSpec(x.shape if axis is None else (x.shape[axis],), "int64"))
    if return_counts:
        specs.append(TensorSpec((size,), "int64"))
    return specs[0] if len(specs) == 1 else tuple(specs)


@op("keras.src.ops.numpy>Unique", specs=_unique_specs)
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """Return the different numbers (or slices along `axis`), and what else is asked for, in this order.

    Args:
        x: numbers.
        sorted: whether in rising order.
        return_index: whether to return the first index of each.
        return_inverse: whether to return for each entry which one it is.
        return_counts: whether to return how often each occurs.
        axis: compare the slices along this axis; None the numbers.
        size: how many to return, cut or filled up; None all.
        fill_value: what fills up; None is 0.

    Example:
        >>> unique([3, 1, 3]).tolist()
        [1, 3]
    """
    x = as_tensor(x)
    values, inverse, counts = torch.unique(
        x, sorted=sorted, return_inverse=True, return_counts=True, dim=axis
    )
    dim = 0 if axis is None else axis % x.ndim
    results = [_sized(values, dim, size, fill_value or 0)]
    if return_index:
        places = torch.arange(inverse.numel(), device=x.device)
        first = torch.full_like(counts, inverse.numel()).scatter_reduce(
            0, inverse.reshape(-1), places, "amin"
        )
        results.append(_sized(first, 0, size, 1))
    if return_inverse:
        results.append(inverse)
    if return_counts:
        results.append(_sized(counts, 0, size, 0))
    return results[0] if len(results) == 1 else tuple(results)


def _sized(values: torch.Tensor, dim: int, size: int | None, filler: Any) -> torch.Tensor:
    """Return `values` cut or filled up to `size` entries along `dim`."""
    if size is None:
        return values
    lacking = max(size - values.shape[dim], 0)
    widths = [0] * (2 * values.ndim)
    widths[2 * (values.ndim - 1 - dim) + 1] = lacking
    return torch.nn.functional.pad(values, widths, value=filler).narrow(dim, 0, size)
