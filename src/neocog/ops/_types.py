"""What operations make of their arguments before they compute: types in common, floats, axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch

from neocog.core import floatx, result_type, torch_dtype
from neocog.exceptions import ArgumentError, message
from neocog.ops._op import as_tensor, together

_SMALL_INTEGERS = (torch.bool, torch.uint8, torch.int8, torch.int16)


def promoted(x1: Any, x2: Any, *weak: Any) -> list[torch.Tensor]:
    """Return two tensors in the type that Keras gives their result; Python's numbers adapt to the other."""
    types = [type(x) if type(x) in (int, float) else None for x in (x1, x2)]
    tensors = together(x1, x2)
    known = [kind or tensor.dtype for kind, tensor in zip(types, tensors, strict=True)]
    dtype = torch_dtype(result_type(*known, *weak))
    return [tensor.to(dtype) for tensor in tensors]


def floats(x: Any) -> torch.Tensor:
    """Return `x` as floats: integers and booleans in the default type."""
    x = as_tensor(x)
    return x if x.is_floating_point() or x.is_complex() else x.to(torch_dtype(floatx()))  # type: ignore[no-any-return]


def wide_floats(x: Any) -> torch.Tensor:
    """Return `x` as floats: int64 as float64, other integers and booleans in the default type."""
    x = as_tensor(x)
    return x.to(torch.float64) if x.dtype is torch.int64 else floats(x)


def float_pair(x1: Any, x2: Any) -> list[torch.Tensor]:
    """Return two tensors as floats of the type that they have in common."""
    x1, x2 = together(x1, x2)
    return [floats(x) for x in promoted(x1, x2)]


def integers_for_bools(x1: Any, x2: Any) -> list[torch.Tensor]:
    """Return two tensors; as integers if both are booleans."""
    tensors = together(x1, x2)
    if all(tensor.dtype is torch.bool for tensor in tensors):
        return [tensor.to(torch.int32) for tensor in tensors]
    return tensors


def complex_tensor(x: Any) -> torch.Tensor:
    """Return `x` as a tensor; complex arrays keep their type."""
    if isinstance(x, torch.Tensor) or not np.iscomplexobj(x):
        return as_tensor(x)
    return as_tensor(x, np.asarray(x).dtype)


def sum_type(dtype: torch.dtype) -> torch.dtype:
    """Return the type of sums: int32 for shorter integers and booleans."""
    return torch.int32 if dtype in _SMALL_INTEGERS else dtype


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return `axis` (None for all, a number, or several) as axes counted from the front.

    Raises:
        ArgumentError: there is no such axis.
    """
    if axis is None:
        return tuple(range(ndim))
    given = tuple(axis) if isinstance(axis, Iterable) else (axis,)
    return tuple(one_axis(int(entry), ndim) for entry in given)


def one_axis(axis: int, ndim: int) -> int:
    """Return `axis` counted from the front."""
    if not -ndim <= axis < ndim:
        raise ArgumentError(
            message("axis", expected=f"an axis of a tensor with {ndim} of them", got=str(axis))
        )
    return axis % ndim


def sizes_of(shape: Any) -> tuple[int, ...]:
    """Return a shape given as a number, a sequence or a tensor of numbers."""
    if isinstance(shape, (torch.Tensor, np.ndarray)):
        shape = shape.tolist()
    return tuple(int(size) for size in shape) if isinstance(shape, Sequence) else (int(shape),)


def plain(value: Any) -> Any:
    """Return numbers and lists of them for a tensor or array, so that they can be sizes, axes or indices."""
    return value.tolist() if isinstance(value, (torch.Tensor, np.ndarray)) else value
