"""Numbers of categories as one-hot rows, or as rows that say which categories are there, or how often."""

from __future__ import annotations

from typing import Any

import torch

Shape = tuple[Any, ...]


def encode(
    numbers: torch.Tensor,
    mode: str,
    depth: int,
    dtype: torch.dtype,
    count_weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return whole numbers in one of Keras's output modes; numbers outside 0 … `depth` - 1 leave no mark.

    Args:
        numbers: whole numbers.
        mode: `"int"`, `"one_hot"`, `"multi_hot"` or `"count"`. The last two join axis 1 (axis 0 of a vector).
        depth: number of categories, the length of the new axis.
        dtype: type of the result.
        count_weights: what each number counts in mode `"count"`, 1 by default.
    """
    if mode == "int":
        return numbers.to(dtype)
    numbers = numbers.to(torch.int64)
    if numbers.ndim == 0:
        numbers = numbers[None]
    if mode == "one_hot":
        if numbers.ndim > 1 and numbers.shape[-1] == 1:
            numbers = numbers[..., 0]
        places = numbers[..., None]
    else:
        places = numbers.movedim(1, -1) if numbers.ndim > 1 else numbers
    inside = (places >= 0) & (places < depth)
    places = torch.where(inside, places, depth)  # a place of its own, cut off below
    marks = torch.ones((), dtype=dtype, device=places.device).expand(places.shape)
    if count_weights is not None:
        marks = count_weights.movedim(1, -1) if count_weights.ndim > 1 else count_weights
    rows = marks.new_zeros((*places.shape[:-1], depth + 1))
    filled = rows.scatter_add(-1, places, marks) if mode == "count" else rows.scatter(-1, places, marks)
    return filled[..., :depth]


def encoded_shape(shape: Shape, mode: str, depth: int | None) -> Shape:
    """Return the shape of `encode`'s result for inputs of this shape."""
    if mode == "int":
        return tuple(shape)
    if mode == "one_hot":
        return (*(shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape), depth)
    return (*shape[:1], *shape[2:], depth) if len(shape) > 1 else (depth,)
