"""Layers that only rearrange: Flatten, Reshape, Permute, RepeatVector. Views wherever torch can make one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from neocog.core import check_int, standardize_data_format
from neocog.exceptions import ArgumentError, ArgumentTypeError, ShapeError, message
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS


class Rearrangement(Layer):
    """Base of the layers that move values and leave them, and their type, as they are."""

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the type of the inputs."""
        return input_dtype


@LAYERS.register("flatten")
class Flatten(Rearrangement):
    """Flatten all axes but the batch into one.

    Args:
        data_format: `"channels_last"` (default) or `"channels_first"`; both give channels-last order.

    Shapes:
        (batch, a, b, …) to (batch, a · b · …); (batch,) to (batch, 1).

    Example:
        >>> Flatten()(torch.zeros(2, 3, 4)).shape
        torch.Size([2, 12])
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)
        self._channels_first = self.data_format == "channels_first"

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs: a view unless the channels have to move."""
        if inputs.ndim == 1:
            return inputs.unsqueeze(1)
        if self._channels_first and inputs.ndim > 2:
            inputs = inputs.movedim(1, -1)
        return inputs.flatten(1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return (batch, product of the other sizes)."""
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "data_format": self.data_format}


@LAYERS.register("reshape")
class Reshape(Rearrangement):
    """Give each sample another shape with the same number of values.

    Args:
        target_shape: the new shape without the batch; one size may be -1 and is then inferred.

    Shapes:
        (batch, …) to (batch, *target_shape).

    Example:
        >>> Reshape((-1, 2))(torch.zeros(5, 6)).shape
        torch.Size([5, 3, 2])
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        sizes = [target_shape] if isinstance(target_shape, int) else list(target_shape)
        self.target_shape = tuple(check_int(self.label, "target_shape", size, minimum=-1) for size in sizes)
        if self.target_shape.count(-1) > 1:
            raise ArgumentError(
                message(self.label, expected="at most one -1 in target_shape", got=self.target_shape)
            )

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        target = self.target_shape
        if -1 in target and 0 in inputs.shape:  # an empty batch leaves torch nothing to infer from
            target = self._full_shape(tuple(inputs.shape[1:]))
        try:
            return inputs.reshape(inputs.shape[0], *target)
        except RuntimeError:
            self._full_shape(tuple(inputs.shape[1:]))
            raise

    def _full_shape(self, sizes: tuple[int | None, ...]) -> tuple[Any, ...]:
        """Return the target shape with -1 replaced by its size, or by None where sizes are unknown."""
        if None in sizes:
            return tuple(None if size == -1 else size for size in self.target_shape)
        total = math.prod(size for size in sizes if size is not None)
        known = math.prod(size for size in self.target_shape if size != -1)
        inferred = total // known if -1 in self.target_shape and known else 1
        full = tuple(inferred if size == -1 else size for size in self.target_shape)
        if math.prod(full) != total:
            raise ShapeError(
                message(
                    self.label,
                    expected=f"samples that fit into target_shape {self.target_shape}",
                    got=f"samples of shape {sizes}, {total} values",
                    do="The number of values must stay the same.",
                )
            )
        return full

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return (batch, *target_shape)."""
        return (input_shape[0], *self._full_shape(tuple(input_shape[1:])))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "target_shape": self.target_shape}


@LAYERS.register("permute")
class Permute(Rearrangement):
    """Put the axes of each sample into another order.

    Args:
        dims: for each place, the axis that goes there, counted from 1 after the batch: `(2, 1)` swaps two.

    Example:
        >>> Permute((2, 1))(torch.zeros(5, 3, 4)).shape
        torch.Size([5, 4, 3])
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(
                message(
                    self.label,
                    expected="dims to hold each of 1, 2, …, number of axes once",
                    got=self.dims,
                    do="The batch stays where it is and is not counted.",
                )
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs: a view."""
        return inputs.permute(0, *self.dims)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the permuted shape."""
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "dims": self.dims}


@LAYERS.register("repeat_vector")
class RepeatVector(Rearrangement):
    """Repeat each sample's vector `n` times.

    Args:
        n: how often, 1 or more.

    Shapes:
        (batch, features) to (batch, n, features).

    Example:
        >>> RepeatVector(3)(torch.zeros(2, 4)).shape
        torch.Size([2, 3, 4])
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(n, bool) or not isinstance(n, int):
            raise ArgumentTypeError(message(self.label, expected="n to be a whole number", got=repr(n)))
        self.n = check_int(self.label, "n", n, minimum=1)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs: a view that uses no more memory."""
        return inputs.unsqueeze(1).expand(-1, self.n, -1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return (batch, n, features)."""
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "n": self.n}
