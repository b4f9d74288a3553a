"""Operations that read and write parts of tensors: slices, scattered entries, entries along an axis."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import torch

from neocog.core import check_one_of
from neocog.exceptions import ShapeError, message
from neocog.ops._op import as_tensor, op, together


@op("keras.src.ops.core>Scatter", call="indices values")
def scatter(indices: Any, values: Any, shape: Sequence[int]) -> torch.Tensor:
    """Return a tensor of zeros with `values` added at `indices`.

    Args:
        indices: positions, (…, k): the first k axes of the result.
        values: what to add there, (…, *rest).
        shape: shape of the result.

    Example:
        >>> scatter([[0], [2], [2]], [1.0, 2.0, 3.0], (4,))
        tensor([1., 0., 5., 0.])
    """
    places, values = together(indices, values)
    depth = places.shape[-1]
    result = torch.zeros([int(size) for size in shape], dtype=values.dtype, device=values.device)
    rest = result.shape[depth:]
    columns = places.long().reshape(-1, depth).unbind(1)
    return result.index_put(tuple(columns), values.reshape(-1, *rest), accumulate=True)


@op("keras.src.ops.core>ScatterUpdate", call="inputs indices updates")
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> torch.Tensor:
    """Return `inputs` with the entries at `indices` replaced by, or joined with, `updates`.

    Args:
        inputs: tensor of any shape.
        indices: positions, (n, k): the first k axes of `inputs`.
        updates: new values, (n, *rest).
        reduction: None replaces; `"add"`, `"max"`, `"min"` and `"mul"` join each in turn.

    Example:
        >>> scatter_update(torch.zeros(3), [[1]], [5.0])
        tensor([0., 5., 0.])
    """
    before, places, new = together(inputs, indices, updates)
    new = new.to(before.dtype)
    index = tuple(places.long().unbind(1))
    if reduction is None or check_one_of("ops.scatter_update", "reduction", reduction, tuple(_JOIN)) == "add":
        return before.index_put(index, new, accumulate=reduction is not None)
    result, join = before.clone(), _JOIN[reduction.lower()]
    for number, place in enumerate(places.long()):
        at = tuple(place)
        result[at] = join(result[at], new[number])
    return result


_JOIN: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "add": torch.add,
    "max": torch.maximum,
    "min": torch.minimum,
    "mul": torch.multiply,
}


def _whole_numbers(values: Any) -> list[int]:
    return [int(value) for value in values]


@op("keras.src.ops.core>Slice", call="inputs start_indices")
def slice(inputs: Any, start_indices: Any, shape: Any) -> torch.Tensor:
    """Return the part of `inputs` of a shape that starts at a position.

    Args:
        inputs: tensor of any shape.
        start_indices: the position, one number an axis.
        shape: sizes of the part, one number an axis.

    Example:
        >>> slice(torch.arange(6), (2,), (3,))
        tensor([2, 3, 4])
    """
    starts, sizes = _whole_numbers(start_indices), _whole_numbers(shape)
    parts = zip(starts, sizes, strict=True)
    return as_tensor(inputs)[tuple(builtins.slice(start, start + size) for start, size in parts)]


@op("keras.src.ops.core>SliceUpdate", call="inputs start_indices updates")
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> torch.Tensor:
    """Return `inputs` with the part that starts at a position replaced by `updates`.

    Args:
        inputs: tensor of any shape.
        start_indices: the position, one number an axis.
        updates: the new part.

    Example:
        >>> slice_update(torch.zeros(4), [1], torch.ones(2))
        tensor([0., 1., 1., 0.])
    """
    before, new = together(inputs, updates)
    result = before.clone()
    parts = zip(_whole_numbers(start_indices), new.shape, strict=True)
    result[tuple(builtins.slice(start, start + size) for start, size in parts)] = new.to(result.dtype)
    return result


@op("keras.src.ops.core>Unstack")
def unstack(x: Any, num: int | None = None, axis: int = 0) -> tuple[torch.Tensor, ...]:
    """Return the entries of `x` along an axis.

    Args:
        x: tensor of any shape.
        num: their number, checked; None takes what there is.
        axis: the axis that goes away.

    Raises:
        ShapeError: `num` is not the size of the axis.

    Example:
        >>> [tuple(part.shape) for part in unstack(torch.ones(2, 3))]
        [(3,), (3,)]
    """
    tensor = as_tensor(x)
    if num is not None and num != tensor.shape[axis]:
        raise ShapeError(
            message("ops.unstack", expected=f"{num} entries along axis {axis}", got=tensor.shape[axis])
        )
    return tensor.unbind(axis)
