"""The same numbers in another shape or order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from neocog.core import torch_dtype
from neocog.exceptions import ArgumentError, message
from neocog.graph import TensorSpec
from neocog.ops._op import as_tensor, op
from neocog.ops._types import axes_of, one_axis, plain, sizes_of


def _reshape_specs(x: Any, newshape: Any) -> TensorSpec | None:
    sizes = sizes_of(newshape)
    if None not in x.shape or not _is_shape(sizes):
        return None
    return TensorSpec([None if size == -1 else size for size in sizes], x.dtype)


def _is_shape(sizes: tuple[int, ...]) -> bool:
    return min(sizes, default=0) >= -1 and sizes.count(-1) <= 1


@op("keras.src.ops.numpy>Reshape", specs=_reshape_specs)
def reshape(x: Any, newshape: Any) -> torch.Tensor:
    """Return `x` in the shape `newshape`, where -1 stands for what is left.

    Example:
        >>> reshape([1, 2, 3, 4], (2, -1)).tolist()
        [[1, 2], [3, 4]]
    """
    sizes = sizes_of(newshape)
    if not _is_shape(sizes):
        raise ArgumentError(
            message("ops.reshape", expected="sizes of 0 or more and at most one -1", got=str(sizes))
        )
    return torch.reshape(as_tensor(x), sizes)


@op("keras.src.ops.numpy>Ravel")
def ravel(x: Any) -> torch.Tensor:
    """Return `x` as one row."""
    return torch.ravel(as_tensor(x))


@op("keras.src.ops.numpy>Squeeze")
def squeeze(x: Any, axis: Any = None) -> torch.Tensor:
    """Return `x` without its axes of size 1, or without those in `axis`, which must have size 1."""
    x = as_tensor(x)
    if axis is None:
        return torch.squeeze(x)
    axes = axes_of(axis, x.ndim)
    for place in axes:
        if x.shape[place] != 1:
            got = f"axis {place} of shape {tuple(x.shape)}"
            raise ArgumentError(message("ops.squeeze", expected="axes of size 1", got=got))
    return torch.squeeze(x, dim=axes)


@op("keras.src.ops.numpy>ExpandDims")
def expand_dims(x: Any, axis: Any) -> torch.Tensor:
    """Return `x` with new axes of size 1, which lie at `axis` in the result.

    Example:
        >>> tuple(expand_dims([1, 2], 0).shape)
        (1, 2)
    """
    x = as_tensor(x)
    count = len(axis) if isinstance(axis, (list, tuple)) else 1
    for place in sorted(axes_of(axis, x.ndim + count)):
        x = x.unsqueeze(place)
    return x  # type: ignore[no-any-return]


@op("keras.src.ops.numpy>Transpose")
def transpose(x: Any, axes: Any = None) -> torch.Tensor:
    """Return `x` with its axes in the order `axes`; None reverses them.

    Example:
        >>> transpose([[1, 2], [3, 4]]).tolist()
        [[1, 3], [2, 4]]
    """
    x = as_tensor(x)
    order = tuple(reversed(range(x.ndim))) if axes is None else axes_of(axes, x.ndim)
    return torch.permute(x, order)


@op("keras.src.ops.numpy>Swapaxes")
def swapaxes(x: Any, axis1: int, axis2: int) -> torch.Tensor:
    """Return `x` with two axes exchanged."""
    return torch.swapaxes(as_tensor(x), axis1, axis2)


@op("keras.src.ops.numpy>Moveaxis")
def moveaxis(x: Any, source: Any, destination: Any) -> torch.Tensor:
    """Return `x` with the axes `source` moved to `destination`, the others in their order."""
    x = as_tensor(x)
    return torch.moveaxis(x, axes_of(source, x.ndim), axes_of(destination, x.ndim))


@op("keras.src.ops.numpy>Flip")
def flip(x: Any, axis: Any = None) -> torch.Tensor:
    """Return `x` with the order reversed along `axis`; None reverses all."""
    x = as_tensor(x)
    return torch.flip(x, axes_of(axis, x.ndim))


@op("keras.src.ops.numpy>Fliplr")
def fliplr(x: Any) -> torch.Tensor:
    """Return `x` with the order reversed along the second axis."""
    return torch.fliplr(as_tensor(x))


@op("keras.src.ops.numpy>Flipud")
def flipud(x: Any) -> torch.Tensor:
    """Return `x` with the order reversed along the first axis."""
    return torch.flipud(as_tensor(x))


@op("keras.src.ops.numpy>Roll")
def roll(x: Any, shift: Any, axis: Any = None) -> torch.Tensor:
    """Return `x` moved by `shift` places along `axis`, what leaves at the end entering at the start."""
    x = as_tensor(x)
    if axis is None:
        return torch.roll(x, plain(shift))
    axes = axes_of(axis, x.ndim)
    shifts = plain(shift)
    return torch.roll(x, shifts if isinstance(shifts, (list, tuple)) else (shifts,) * len(axes), axes)


@op("keras.src.ops.numpy>Rot90", call="array")
def rot90(array: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> torch.Tensor:
    """Return `array` turned `k` times by 90 degrees in the plane of two axes, the first to the second."""
    array = as_tensor(array)
    if array.ndim < 2:
        got = f"one with {array.ndim}"
        raise ArgumentError(message("ops.rot90", expected="a tensor with 2 axes or more", got=got))
    plane = axes_of(axes, array.ndim)
    if len(plane) != 2 or plane[0] == plane[1]:
        raise ArgumentError(message("ops.rot90", expected="two different axes", got=str(axes)))
    return torch.rot90(array, k=k, dims=plane)


def _broadcast_specs(x: Any, shape: Any) -> TensorSpec | None:
    return TensorSpec(sizes_of(shape), x.dtype) if None in x.shape else None


@op("keras.src.ops.numpy>BroadcastTo", specs=_broadcast_specs)
def broadcast_to(x: Any, shape: Any) -> torch.Tensor:
    """Return `x` repeated along axes of size 1 and new leading axes until it has `shape`."""
    return torch.broadcast_to(as_tensor(x), sizes_of(shape))


@op("keras.src.ops.numpy>Tile")
def tile(x: Any, repeats: Any) -> torch.Tensor:
    """Return `x` laid out `repeats` times along each axis."""
    return torch.tile(as_tensor(x), sizes_of(repeats))


def _repeat_specs(x: Any, repeats: Any, axis: int | None = None) -> TensorSpec | None:
    counts = plain(repeats)
    if isinstance(counts, int) or len(counts) == 1 or axis is None:
        return None
    sizes = list(x.shape)
    sizes[axis] = sum(int(count) for count in counts)
    return TensorSpec(sizes, x.dtype)


@op("keras.src.ops.numpy>Repeat", specs=_repeat_specs)
def repeat(x: Any, repeats: Any, axis: int | None = None) -> torch.Tensor:
    """Return `x` with each entry along `axis` repeated (`repeats` times, or each by its own number)."""
    x = as_tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    counts = plain(repeats)
    counts = [counts] if isinstance(counts, int) else [int(count) for count in counts]
    axis = one_axis(axis, x.ndim)
    if len(counts) == 1:
        grown = x.unsqueeze(axis + 1)
        sizes = list(x.shape)
        grown = grown.expand([*sizes[: axis + 1], counts[0], *sizes[axis + 1 :]])
        return grown.reshape([*sizes[:axis], sizes[axis] * counts[0], *sizes[axis + 1 :]])  # type: ignore[no-any-return]
    places = [place for place, count in enumerate(counts) for _ in range(count)]
    if len(counts) != x.shape[axis]:
        got = f"{len(counts)} numbers for {x.shape[axis]} entries"
        raise ArgumentError(message("ops.repeat", expected="one number, or one for each entry", got=got))
    return torch.index_select(x, axis, torch.tensor(places, dtype=torch.int64, device=x.device))


@op("keras.src.ops.numpy>Pad", call="x constant_values")
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> torch.Tensor:
    """Return `x` with borders.

    Args:
        x: numbers.
        pad_width: sizes of the borders (before, after) for each axis; one such pair or one number for all.
        mode: what the borders hold: "constant", "reflect" (mirrored at the edge numbers) or "symmetric"
            (mirrored between them), "edge" (the edge numbers).
        constant_values: the number for "constant"; None is 0.

    Example:
        >>> pad([1, 2, 3], (2, 1), mode="reflect").tolist()
        [3, 2, 1, 2, 3, 2]
    """
    x = as_tensor(x)
    widths = _pad_widths(pad_width, x.ndim)
    if mode == "constant":
        flat = [width for pair in reversed(widths) for width in pair]
        value = 0 if constant_values is None else plain(constant_values)
        return torch.nn.functional.pad(x, flat, value=value)
    if constant_values is not None:
        do = 'Leave it out, or use mode="constant".'
        raise ArgumentError(
            message("ops.pad", expected="no `constant_values`", got=f"them with mode={mode!r}", do=do)
        )
    if mode not in ("reflect", "symmetric", "edge"):
        expected = 'mode to be "constant", "reflect", "symmetric" or "edge"'
        raise ArgumentError(message("ops.pad", expected=expected, got=repr(mode)))
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = torch.index_select(x, axis, _border_places(x.shape[axis], before, after, mode, x.device))
    return x  # type: ignore[no-any-return]


def _pad_widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    given = plain(pad_width)
    if isinstance(given, int):
        return [(given, given)] * ndim
    pairs = [given] if isinstance(given[0], int) else list(given)
    widths = [(int(pair[0]), int(pair[-1])) for pair in pairs]
    if len(widths) == 1:
        return widths * ndim
    if len(widths) != ndim:
        expected = f"one pair of widths, or one for each of {ndim} axes"
        raise ArgumentError(message("ops.pad", expected=expected, got=str(pad_width)))
    return widths


def _border_places(size: int, before: int, after: int, mode: str, device: torch.device) -> torch.Tensor:
    """Return which entry each place of a padded axis shows."""
    places = torch.arange(-before, size + after, device=device)
    if mode == "edge" or size == 1:
        return places.clamp(0, size - 1)
    if mode == "symmetric":
        places = places % (2 * size)
        return torch.where(places < size, places, 2 * size - 1 - places)
    places = places % (2 * (size - 1))
    return torch.where(places < size, places, 2 * (size - 1) - places)


@op("keras.src.ops.numpy>View")
def view(x: Any, dtype: Any = None) -> torch.Tensor:
    """Return the same bytes read as numbers of `dtype`; the last axis grows or shrinks with their size."""
    return as_tensor(x).view(torch_dtype(dtype))


@op("keras.src.ops.numpy>Copy")
def copy(x: Any) -> torch.Tensor:
    """Return a copy with memory of its own."""
    return torch.clone(as_tensor(x))


@op("keras.src.ops.numpy>Size")
def size(x: Any) -> Any:
    """Return how many numbers `x` has."""
    return torch.tensor(math.prod(as_tensor(x).shape), dtype=torch.int64)


@op("keras.src.ops.numpy>Ndim")
def ndim(x: Any) -> int:
    """Return how many axes `x` has."""
    return as_tensor(x).ndim
