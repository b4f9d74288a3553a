"""Numbers picked by index or by condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from neocog.core import result_type, torch_dtype
from neocog.exceptions import ArgumentError, message
from neocog.graph import TensorSpec
from neocog.ops._op import as_tensor, op, together
from neocog.ops._types import axes_of, one_axis, sizes_of


@op("keras.src.ops.numpy>GetItem", call="x key")
def get_item(x: Any, key: Any) -> torch.Tensor:
    """Return `x[key]`.

    Example:
        >>> get_item([[1, 2], [3, 4]], (slice(None), 0)).tolist()
        [1, 3]
    """
    if isinstance(key, list) and any(entry is None or isinstance(entry, (slice, type(...))) for entry in key):
        key = tuple(key)
    x = as_tensor(x)
    return x[tuple(_index(part) for part in key) if isinstance(key, tuple) else _index(key)]  # type: ignore[no-any-return]


def _index(part: Any) -> Any:
    """Return what torch takes as an index: integers of 64 bits."""
    if part is None or isinstance(part, (int, slice, type(...), list)):
        return part
    part = as_tensor(part)
    return part if part.dtype in (torch.bool, torch.uint8) else part.long()


@op("keras.src.ops.numpy>Take", call="x indices")
def take(x: Any, indices: Any, axis: int | None = None) -> torch.Tensor:
    """Return the entries of `x` at `indices` along `axis`; None counts through the flattened tensor.

    Example:
        >>> take([10, 20, 30], [2, 0, -1]).tolist()
        [30, 10, 30]
    """
    x, indices = together(x, indices)
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis = one_axis(axis, x.ndim)
    places = indices.long()
    places = torch.where(places < 0, places + x.shape[axis], places)
    picked = torch.index_select(x, axis, places.reshape(-1))
    return picked.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


@op("keras.src.ops.numpy>TakeAlongAxis", call="x indices")
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> torch.Tensor:
    """Return for each place of `indices` the entry of `x` at that index along `axis`."""
    x, indices = together(x, indices)
    if axis is None:
        x, axis = x.reshape(-1), 0
        indices = indices.reshape(-1)
    places = indices.long()
    places = torch.where(places < 0, places + x.shape[axis], places)
    return torch.take_along_dim(x, places, dim=axis)


def _unknown_places(x: Any) -> TensorSpec:
    return TensorSpec((len(x.shape), None), "int32")


@op("keras.src.ops.numpy>Nonzero", specs=_unknown_places)
def nonzero(x: Any) -> torch.Tensor:
    """Return the indices of what is not 0, one row an axis."""
    return torch.nonzero(as_tensor(x)).T.to(torch.int32)


def _where_specs(condition: Any, x1: Any = None, x2: Any = None) -> TensorSpec | None:
    return TensorSpec((len(condition.shape), None), "int64") if x1 is None and x2 is None else None


@op("keras.src.ops.numpy>Where", call="condition x1 x2", specs=_where_specs)
def where(condition: Any, x1: Any = None, x2: Any = None) -> torch.Tensor:
    """Return `x1` where `condition` is true and `x2` elsewhere; without both, the indices of what is true.

    Example:
        >>> where([True, False], [1, 2], 0).tolist()
        [1, 0]
    """
    if (x1 is None) != (x2 is None):
        raise ArgumentError(message("ops.where", expected="both of x1 and x2, or none", got="one of them"))
    if x1 is None:
        return torch.stack(torch.where(as_tensor(condition, bool)), dim=0)
    condition, x1, x2 = together(condition, x1, x2)
    return torch.where(condition.to(torch.bool), x1, x2)


@op("keras.src.ops.numpy>Select", call="condlist choicelist default")
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> torch.Tensor:
    """Return the choice of the first condition that is true, and `default` where none is."""
    if not (isinstance(condlist, (list, tuple)) and isinstance(choicelist, (list, tuple)) and condlist):
        raise ArgumentError(
            message("ops.select", expected="lists of conditions and choices", got="something else")
        )
    if len(condlist) != len(choicelist):
        got = f"{len(condlist)} conditions and {len(choicelist)} choices"
        raise ArgumentError(message("ops.select", expected="a choice for each condition", got=got))
    chosen, *rest = together(default, *condlist, *choicelist)
    conditions, choices = rest[: len(condlist)], rest[len(condlist) :]
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        chosen = torch.where(condition.to(torch.bool), choice, chosen)
    return chosen


@op("keras.src.ops.numpy>UnravelIndex", call="indices")
def unravel_index(indices: Any, shape: Any) -> tuple[torch.Tensor, ...]:
    """Return for indices into a flattened tensor of `shape` those along each axis."""
    indices = as_tensor(indices)
    dtype = torch_dtype(result_type(indices.dtype))
    found: list[torch.Tensor] = []
    left = indices
    for size in reversed(sizes_of(shape)):
        found.append(torch.remainder(left, size).to(dtype))
        left = torch.div(left, size, rounding_mode="floor")
    return tuple(reversed(found))


def _diagonal_specs(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> TensorSpec | None:
    first, second = axes_of((axis1, axis2), len(x.shape))
    if first == second or None not in (x.shape[first], x.shape[second]):
        return None
    others = [size for place, size in enumerate(x.shape) if place not in (first, second)]
    return TensorSpec((*others, None), x.dtype)


@op("keras.src.ops.numpy>Diagonal", specs=_diagonal_specs)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> torch.Tensor:
    """Return a diagonal of the matrices along two axes, as the last axis of the result."""
    x = as_tensor(x)
    first, second = axes_of((axis1, axis2), x.ndim)
    if first == second:
        raise ArgumentError(
            message("ops.diagonal", expected="two different axes", got=f"{axis1} and {axis2}")
        )
    return torch.diagonal(x, offset, first, second)
