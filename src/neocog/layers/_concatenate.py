"""Inputs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from neocog.core import check_int
from neocog.exceptions import ShapeError, message
from neocog.layers._merge import Merge
from neocog.layers._registry import LAYERS
from neocog.layers._sizes import checked_axis


@LAYERS.register("concatenate")
class Concatenate(Merge):
    """Put the inputs side by side along `axis`; all other sizes must be equal.

    Args:
        axis: the axis along which they are joined.

    Example:
        >>> Concatenate()([torch.ones(1, 2), torch.zeros(1, 1)])
        tensor([[1., 1., 0.]])
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = check_int(self.label, "axis", axis)

    def call(self, inputs: Any) -> torch.Tensor:
        """Compute the outputs."""
        if not isinstance(inputs, (list, tuple)):
            self.check_shapes(tuple(inputs.shape))
        try:
            return torch.cat(inputs, self.axis)
        except (RuntimeError, IndexError):
            self.check_shapes([tuple(x.shape) for x in inputs])
            raise

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the masks of the inputs, joined alike; an input without one counts everywhere."""
        if previous_mask is None or all(mask is None for mask in previous_mask):
            return None
        masks = []
        for x, mask in zip(inputs, previous_mask, strict=True):
            if mask is None:
                masks.append(torch.ones_like(x, dtype=torch.bool))
            else:
                masks.append((mask.unsqueeze(-1) if mask.ndim < x.ndim else mask).bool().expand(x.shape))
        return torch.cat(masks, self.axis).any(-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the first input's shape with the sizes along `axis` added up."""
        if not isinstance(input_shape, list):
            self.check_shapes(input_shape)
        rank = len(input_shape[0])
        axis = checked_axis(self.label, self.axis, rank)
        if any(len(shape) != rank for shape in input_shape):
            self._refuse_sizes(input_shape)
        sizes: list[int | None] = []
        for place, column in enumerate(zip(*input_shape, strict=True)):
            known = {size for size in column if size is not None}
            if place == axis:
                sizes.append(None if None in column else sum(column))
            elif len(known) > 1:
                self._refuse_sizes(input_shape)
            else:
                sizes.append(known.pop() if known else None)
        return tuple(sizes)

    def _refuse_sizes(self, shapes: Sequence[Any]) -> None:
        raise ShapeError(
            message(
                self.label,
                expected=f"inputs with equal sizes on all axes but axis {self.axis}",
                got=" and ".join(str(tuple(shape)) for shape in shapes),
                do="Look at strides, padding and cropping of the layers before it.",
            )
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "axis": self.axis}


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """Put the inputs side by side: `Concatenate(axis, **kwargs)(inputs)`."""
    return Concatenate(axis=axis, **kwargs)(inputs)
