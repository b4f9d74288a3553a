"""Functions of tensors in Keras 2's words, where `ops` says it otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from neocog import ops
from neocog.exceptions import ShapeError, message


def dot(x: Any, y: Any) -> torch.Tensor:
    """Return the product of the last axis of `x` with the last but one of `y`.

    Args:
        x: tensor.
        y: tensor.

    Example:
        >>> dot(torch.ones(2, 3), torch.ones(3, 4)).shape
        torch.Size([2, 4])
    """
    return ops.dot(x, y)


def batch_dot(x: Any, y: Any, axes: Any = None) -> torch.Tensor:
    """Return the products of two batches, sample by sample, over one axis of each; numbers keep an axis.

    Args:
        x: (batch, …).
        y: (batch, …).
        axes: axis of `x` and of `y`, one number for both; None for the last of `x` and the last but one of
            `y`.

    Example:
        >>> batch_dot(torch.ones(2, 3, 4), torch.ones(2, 4, 5)).shape
        torch.Size([2, 3, 5])
    """
    x, y = ops.convert_to_tensor(x), ops.convert_to_tensor(y)
    if x.dim() < 2 or y.dim() < 2 or x.shape[0] != y.shape[0]:
        expected = "two batches of one size"
        raise ShapeError(
            message("backend.batch_dot", expected=expected, got=(tuple(x.shape), tuple(y.shape)))
        )
    if axes is None:
        axes = (x.dim() - 1, max(y.dim() - 2, 1))
    first, second = (axes, axes) if isinstance(axes, int) else axes
    left = x.movedim(first, -1).flatten(1, -2) if x.dim() > 2 else x.unsqueeze(1)
    right = y.movedim(second, 1).flatten(2) if y.dim() > 2 else y.unsqueeze(2)
    rest_x = [size for axis, size in enumerate(x.shape[1:], 1) if axis != first % x.dim()]
    rest_y = [size for axis, size in enumerate(y.shape[1:], 1) if axis != second % y.dim()]
    outputs: torch.Tensor = (left @ right).reshape(x.shape[0], *rest_x, *rest_y)
    return outputs.unsqueeze(1) if outputs.dim() == 1 else outputs


def transpose(x: Any) -> torch.Tensor:
    """Return `x` with its axes in reverse order.

    Args:
        x: tensor.

    Example:
        >>> transpose(torch.ones(2, 3)).shape
        torch.Size([3, 2])
    """
    return ops.transpose(x)


def permute_dimensions(x: Any, pattern: Sequence[int]) -> torch.Tensor:
    """Return `x` with its axes in another order.

    Args:
        x: tensor.
        pattern: the axes.

    Example:
        >>> permute_dimensions(torch.ones(2, 3, 4), (0, 2, 1)).shape
        torch.Size([2, 4, 3])
    """
    return ops.transpose(x, pattern)


def flatten(x: Any) -> torch.Tensor:
    """Return all values in one axis.

    Args:
        x: tensor.

    Example:
        >>> flatten(torch.ones(2, 3)).shape
        torch.Size([6])
    """
    return ops.reshape(x, (-1,))


def batch_flatten(x: Any) -> torch.Tensor:
    """Return the values of each sample in one axis.

    Args:
        x: (batch, …).

    Example:
        >>> batch_flatten(torch.ones(2, 3, 4)).shape
        torch.Size([2, 12])
    """
    size = 1
    for item in ops.shape(x)[1:]:
        size *= item
    return ops.reshape(x, (-1, size))


def gather(reference: Any, indices: Any) -> torch.Tensor:
    """Return the entries of the first axis at `indices`.

    Args:
        reference: tensor.
        indices: whole numbers, any shape.

    Example:
        >>> gather(torch.tensor([5, 6, 7]), [2, 0])
        tensor([7, 5])
    """
    return ops.take(reference, indices, axis=0)


def repeat(x: Any, n: int) -> torch.Tensor:
    """Return vectors (batch, size) repeated to (batch, n, size).

    Args:
        x: (batch, size).
        n: number of repetitions.

    Example:
        >>> repeat(torch.ones(2, 3), 4).shape
        torch.Size([2, 4, 3])
    """
    return ops.repeat(ops.expand_dims(x, 1), n, axis=1)


def repeat_elements(x: Any, rep: int, axis: int) -> torch.Tensor:
    """Return `x` with each entry along an axis repeated.

    Args:
        x: tensor.
        rep: number of repetitions.
        axis: the axis.

    Example:
        >>> repeat_elements(torch.tensor([1, 2]), 2, 0)
        tensor([1, 1, 2, 2])
    """
    return ops.repeat(x, rep, axis=axis)


def reverse(x: Any, axes: Any) -> torch.Tensor:
    """Return `x` with the order along some axes turned round.

    Args:
        x: tensor.
        axes: one axis or several.

    Example:
        >>> reverse(torch.tensor([1, 2]), 0)
        tensor([2, 1])
    """
    return ops.flip(x, axis=axes)


def pow(x: Any, a: Any) -> torch.Tensor:
    """Return `x` to the power of `a`.

    Args:
        x: tensor.
        a: exponent.

    Example:
        >>> pow(torch.tensor([3.0]), 2)
        tensor([9.])
    """
    return ops.power(x, a)


def clip(x: Any, min_value: Any, max_value: Any) -> torch.Tensor:
    """Return `x` kept between two bounds.

    Args:
        x: tensor.
        min_value: lower bound; None for none.
        max_value: upper bound; None for none.

    Example:
        >>> clip(torch.tensor([-1.0, 5.0]), 0, 1)
        tensor([0., 1.])
    """
    low = -float("inf") if min_value is None else min_value
    high = float("inf") if max_value is None else max_value
    return ops.minimum(ops.maximum(x, low), high)


def l2_normalize(x: Any, axis: Any = None) -> torch.Tensor:
    """Return `x` divided by its Euclidean norm along `axis`.

    Args:
        x: tensor.
        axis: axis or axes; None for all.

    Example:
        >>> l2_normalize(torch.tensor([3.0, 4.0]))
        tensor([0.6000, 0.8000])
    """
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(squares, 1e-12)))


def map_fn(fn: Callable[[Any], Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """Return `fn` of each entry along the first axis, stacked.

    Args:
        fn: function of one entry.
        elems: tensor.
        name: accepted for Keras's sake.
        dtype: accepted for Keras's sake.

    Example:
        >>> map_fn(lambda x: x + 1, torch.tensor([1, 2]))
        tensor([2, 3])
    """
    return ops.map(fn, elems)


def foldl(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """Return what `value = fn(value, entry)` gives from the first entry to the last.

    Args:
        fn: function of the value and an entry.
        elems: tensor.
        initializer: the first value; None for the first entry.
        name: accepted for Keras's sake.

    Example:
        >>> foldl(lambda a, b: a - b, torch.tensor([5, 1, 2]))
        tensor(2)
    """
    entries = list(ops.convert_to_tensor(elems))
    value = entries.pop(0) if initializer is None else initializer
    for entry in entries:
        value = fn(value, entry)
    return value


def foldr(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """Return what `value = fn(value, entry)` gives from the last entry to the first.

    Args:
        fn: function of the value and an entry.
        elems: tensor.
        initializer: the first value; None for the last entry.
        name: accepted for Keras's sake.

    Example:
        >>> foldr(lambda a, b: a - b, torch.tensor([1, 2, 5]))
        tensor(2)
    """
    return foldl(fn, ops.flip(elems, axis=0), initializer)


def argmax(x: Any, axis: int = -1) -> torch.Tensor:
    """Return the place of the greatest value along an axis.

    Args:
        x: tensor.
        axis: the axis.

    Example:
        >>> int(argmax(torch.tensor([1.0, 3.0])))
        1
    """
    return ops.argmax(x, axis=axis)


def argmin(x: Any, axis: int = -1) -> torch.Tensor:
    """Return the place of the least value along an axis.

    Args:
        x: tensor.
        axis: the axis.

    Example:
        >>> int(argmin(torch.tensor([1.0, 3.0])))
        0
    """
    return ops.argmin(x, axis=axis)


def concatenate(tensors: Sequence[Any], axis: int = -1) -> torch.Tensor:
    """Return tensors joined along an axis.

    Args:
        tensors: tensors of one shape but for this axis.
        axis: the axis.

    Example:
        >>> concatenate([torch.ones(2, 1), torch.ones(2, 3)]).shape
        torch.Size([2, 4])
    """
    return ops.concatenate(tensors, axis=axis)


def expand_dims(x: Any, axis: int = -1) -> torch.Tensor:
    """Return `x` with one more axis, of size 1.

    Args:
        x: tensor.
        axis: where it goes.

    Example:
        >>> expand_dims(torch.ones(2)).shape
        torch.Size([2, 1])
    """
    return ops.expand_dims(x, axis)


def cumsum(x: Any, axis: int = 0) -> torch.Tensor:
    """Return the running sums along an axis.

    Args:
        x: tensor.
        axis: the axis.

    Example:
        >>> cumsum(torch.tensor([1, 2])).tolist()
        [1, 3]
    """
    return ops.cumsum(x, axis=axis)


def cumprod(x: Any, axis: int = 0) -> torch.Tensor:
    """Return the running products along an axis.

    Args:
        x: tensor.
        axis: the axis.

    Example:
        >>> cumprod(torch.tensor([1, 2])).tolist()
        [1, 2]
    """
    return ops.cumprod(x, axis=axis)
