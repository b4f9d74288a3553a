"""What all initializers share: the contract, the registry, and the fans of a weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import torch

from neocog.core import Registry

INITIALIZERS: Registry[Any] = Registry("initializer")


class Initializer:
    """Base of all initializers: called with a shape in Keras's layout, it returns a weight's first values.

    Example:
        >>> class Sevens(Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return torch.full(tuple(shape), 7.0)
        >>> Sevens()((2,))
        tensor([7., 7.])
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> torch.Tensor:
        """Return a tensor on the CPU with the values.

        Args:
            shape: in Keras's layout: Dense (in, out), convolutions (height, width, in, out).
            dtype: type of the result; default the default float.
        """
        raise NotImplementedError(f"{type(self).__name__}: define __call__(self, shape, dtype=None).")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; subclasses with arguments override it."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the initializer that `get_config` described."""
        return cls(**config)

    def clone(self) -> Self:
        """Return a new initializer with the same arguments."""
        return self.from_config(self.get_config())


def compute_fans(
    shape: Sequence[int], input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """Return how many inputs and outputs meet in one unit of a weight of this shape.

    Args:
        shape: in Keras's layout, the last two axes being inputs and outputs.
        input_axes: axes whose product is the inputs; default None, found from the rank.
        output_axes: axes whose product is the outputs; both must be given to count.

    Example:
        >>> compute_fans((3, 3, 16, 32))
        (144, 288)
    """
    sizes = [int(size) for size in shape]
    if input_axes is not None and output_axes is not None:
        return math.prod(sizes[axis] for axis in input_axes), math.prod(sizes[axis] for axis in output_axes)
    if len(sizes) < 2:
        size = sizes[0] if sizes else 1
        return size, size
    field = math.prod(sizes[:-2])
    return sizes[-2] * field, sizes[-1] * field
