"""Tensors joined and cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from neocog.exceptions import ArgumentError, ArgumentTypeError, message
from neocog.ops._op import as_tensor, op, together
from neocog.ops._types import one_axis, plain


@op("keras.src.ops.numpy>Concatenate", call="xs")
def concatenate(xs: Any, axis: int = 0) -> torch.Tensor:
    """Return the tensors of a list joined along `axis`.

    Example:
        >>> concatenate([[[1, 2]], [[3, 4]]], axis=-1).tolist()
        [[1, 2, 3, 4]]
    """
    return torch.cat(together(*xs), dim=axis)


@op("keras.src.ops.numpy>Stack")
def stack(x: Any, axis: int = 0) -> torch.Tensor:
    """Return the tensors of a list, all of one shape, along a new axis."""
    tensors = together(*x)
    dtype = tensors[0].dtype
    for tensor in tensors:
        dtype = torch.promote_types(dtype, tensor.dtype)
    return torch.stack([tensor.to(dtype) for tensor in tensors], dim=axis)


@op("keras.src.ops.numpy>Hstack", call="xs")
def hstack(xs: Any) -> torch.Tensor:
    """Return the tensors joined along the second axis; rows, along the first."""
    return torch.hstack(together(*xs))


@op("keras.src.ops.numpy>Vstack", call="xs")
def vstack(xs: Any) -> torch.Tensor:
    """Return the tensors joined along the first axis, rows made to matrices before."""
    return torch.vstack(together(*xs))


@op("keras.src.ops.numpy>Dstack", call="xs")
def dstack(xs: Any) -> torch.Tensor:
    """Return the tensors joined along the third axis, which is added where it lacks."""
    return torch.dstack(together(*xs))


@op("keras.src.ops.numpy>Append", call="x1 x2")
def append(x1: Any, x2: Any, axis: int | None = None) -> torch.Tensor:
    """Return `x2` joined to the end of `x1` along `axis`; None makes rows of both first."""
    x1, x2 = together(x1, x2)
    if axis is None:
        return torch.cat((x1.flatten(), x2.flatten()))
    return torch.cat((x1, x2), dim=axis)


@op("keras.src.ops.numpy>Split")
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[torch.Tensor]:
    """Return `x` cut along `axis` into so many equal pieces, or before each of several indices.

    Example:
        >>> [piece.tolist() for piece in split([1, 2, 3, 4], [1, 3])]
        [[1], [2, 3], [4]]
    """
    x = as_tensor(x)
    axis = one_axis(axis, x.ndim)
    where = plain(indices_or_sections)
    if isinstance(where, int) and (where < 1 or x.shape[axis] % where):
        expected = f"a number of pieces that divides the {x.shape[axis]} entries of axis {axis}"
        raise ArgumentError(message("ops.split", expected=expected, got=where))
    return _cut(x, where, axis)


@op("keras.src.ops.numpy>ArraySplit")
def array_split(x: Any, indices_or_sections: int, axis: int = 0) -> list[torch.Tensor]:
    """Return `x` cut along `axis` into so many pieces, the first ones larger by 1 where need be."""
    if not isinstance(indices_or_sections, int):
        got = type(indices_or_sections).__name__
        raise ArgumentTypeError(message("ops.array_split", expected="an integer number of pieces", got=got))
    if indices_or_sections < 1:
        raise ArgumentError(message("ops.array_split", expected="1 piece or more", got=indices_or_sections))
    return list(torch.tensor_split(as_tensor(x), indices_or_sections, dim=axis))


@op("keras.src.ops.numpy>Hsplit")
def hsplit(x: Any, indices_or_sections: Any) -> list[torch.Tensor]:
    """Return `x` cut along its second axis (a row: its only one) into equal pieces or before indices."""
    return list(torch.hsplit(as_tensor(x), plain(indices_or_sections)))


@op("keras.src.ops.numpy>Vsplit")
def vsplit(x: Any, indices_or_sections: Any) -> list[torch.Tensor]:
    """Return `x` cut along its first axis into equal pieces or before indices."""
    return list(torch.vsplit(as_tensor(x), plain(indices_or_sections)))


@op("keras.src.ops.numpy>Dsplit")
def dsplit(x: Any, indices_or_sections: Any) -> list[torch.Tensor]:
    """Return `x` cut along its third axis into equal pieces or before indices."""
    return list(torch.dsplit(as_tensor(x), plain(indices_or_sections)))


def _cut(x: torch.Tensor, where: int | Sequence[int], axis: int) -> list[torch.Tensor]:
    if isinstance(where, int):
        return list(torch.tensor_split(x, where, dim=axis))
    return list(torch.tensor_split(x, [int(index) for index in where], dim=axis))


@op("keras.src.ops.numpy>Meshgrid")
def meshgrid(*x: Any, indexing: str = "xy") -> list[torch.Tensor]:
    """Return each row laid out over the grid of all rows.

    Args:
        x: rows of coordinates.
        indexing: "xy" has the second row along the first axis, as in images; "ij" keeps the order.
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(message("ops.meshgrid", expected='indexing "xy" or "ij"', got=repr(indexing)))
    return list(torch.meshgrid(*together(*x), indexing=indexing))
