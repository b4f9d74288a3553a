"""Products of two inputs, summed over one axis of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from neocog.exceptions import ArgumentError, ArgumentTypeError, ShapeError, message
from neocog.layers._layer import Layer
from neocog.layers._merge import Merge, merged_shapes
from neocog.layers._registry import LAYERS
from neocog.layers._sizes import checked_axis


@LAYERS.register("dot")
class Dot(Merge):
    """For each sample, the products of two inputs summed over one axis of each.

    Args:
        axes: the axis, or one for each input; not the batch.
        normalize: True scales both to length 1 along the axis first, which gives cosine similarities.

    Shapes:
        (batch, a…) and (batch, b…) to (batch, a… without its axis, b… without its axis), or (batch, 1).

    Example:
        >>> Dot(axes=1)([torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])])
        tensor([[11.]])
    """

    _takes = 2

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pair = list(axes) if isinstance(axes, (list, tuple)) else [axes]
        if any(isinstance(axis, bool) or not isinstance(axis, int) for axis in pair):
            raise ArgumentTypeError(
                message(self.label, expected="axes to be one axis or two", got=repr(axes))
            )
        if len(pair) > 2 or (len(pair) == 1 and isinstance(axes, (list, tuple))):
            raise ArgumentError(message(self.label, expected="axes to be one axis or two", got=repr(axes)))
        self.axes: int | list[int] = axes if isinstance(axes, int) else list(axes)
        self.normalize = bool(normalize)

    def call(self, inputs: Any) -> torch.Tensor:
        """Compute the outputs."""
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
            self.check_shapes(merged_shapes(inputs))
        a, b = (self.as_float(x) for x in inputs)
        axis_a, axis_b = self._places(a.ndim, b.ndim)
        if a.shape[0] != b.shape[0] or a.shape[axis_a] != b.shape[axis_b]:
            self.check_shapes([tuple(a.shape), tuple(b.shape)])
        if self.normalize:
            a, b = _unit(a, axis_a), _unit(b, axis_b)
        a, b = a.movedim(axis_a, -1), b.movedim(axis_b, 1)
        rest = (*a.shape[1:-1], *b.shape[2:])
        left = a.reshape(a.shape[0], -1, a.shape[-1])  # (B, M, K)
        right = b.reshape(b.shape[0], b.shape[1], -1)  # (B, K, N)
        return torch.matmul(left, right).reshape(a.shape[0], *(rest or (1,)))

    def _places(self, rank_a: int, rank_b: int) -> tuple[int, int]:
        """Return the axes counted from the front."""
        pair = [self.axes, self.axes] if isinstance(self.axes, int) else self.axes
        first, second = checked_axis(self.label, pair[0], rank_a), checked_axis(self.label, pair[1], rank_b)
        if first == 0 or second == 0:
            raise ArgumentError(
                message(self.label, expected="axes other than the batch", got=f"axes={self.axes}")
            )
        return first, second

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return None: products know no time steps."""
        return None

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape without the two axes."""
        if not isinstance(input_shape, list) or len(input_shape) != 2:
            self.check_shapes(input_shape)
        a, b = (list(shape) for shape in input_shape)
        axis_a, axis_b = self._places(len(a), len(b))
        batches = {a[0], b[0]} - {None}
        summed = {a[axis_a], b[axis_b]} - {None}
        if len(summed) > 1 or len(batches) > 1:
            raise ShapeError(
                message(
                    self.label,
                    expected=f"the same batch, and the same size on axis {axis_a} and axis {axis_b}",
                    got=f"{tuple(a)} and {tuple(b)}",
                )
            )
        del a[axis_a], b[axis_b]
        rest = (*a[1:], *b[1:])
        return (batches.pop() if batches else None, *(rest or (1,)))

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the input's float type, or the layer's."""
        return Layer.compute_output_dtype(self, input_dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def dot(inputs: Any, axes: int | Sequence[int] = -1, **kwargs: Any) -> Any:
    """Multiply two inputs and sum over one axis of each: `Dot(axes, **kwargs)(inputs)`."""
    return Dot(axes=axes, **kwargs)(inputs)


def _unit(x: torch.Tensor, axis: int) -> torch.Tensor:
    length: torch.Tensor = torch.linalg.vector_norm(x, dim=axis, keepdim=True).clamp_min(1e-7)
    return x / length
