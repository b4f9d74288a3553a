"""Layers with several inputs, merged value by value, and their function forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from neocog.exceptions import ArgumentTypeError, ShapeError, message
from neocog.layers._layer import Layer
from neocog.layers._masked_merge import any_masked, masked_extreme, masked_product
from neocog.layers._registry import LAYERS


class Merge(Layer):
    """Base of the layers that take a list of inputs and merge them value by value, broadcasting sizes of 1.

    Inputs of fewer axes get axes of size 1 after the batch, as in Keras.
    """

    supports_masking = True
    _takes: int | None = None  # exact number of inputs, where there is one

    def build(self, input_shape: Any) -> None:
        """Check that the inputs fit together."""
        self.check_shapes(input_shape)

    def call(self, inputs: Any) -> torch.Tensor:
        """Compute the outputs."""
        if not isinstance(inputs, (list, tuple)) or (self._takes and len(inputs) != self._takes):
            self.check_shapes(merged_shapes(inputs))
        first = inputs[0]
        if any(x.ndim != first.ndim for x in inputs):
            inputs = _same_ranks(inputs)
        try:
            return self.merge(inputs)
        except RuntimeError:
            self.check_shapes(merged_shapes(inputs))
            raise

    def merge(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Merge tensors with the same number of axes."""
        raise NotImplementedError

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return where any of the inputs counts; None where one has no mask and so counts everywhere."""
        if previous_mask is None or any(mask is None for mask in previous_mask):
            return None
        joined = previous_mask[0]
        for mask in previous_mask[1:]:
            joined = torch.logical_or(joined, mask)
        return joined

    def check_shapes(self, shapes: Any) -> None:
        """Raise where the inputs are no list, are too many or too few, or do not fit together."""
        count = f"a list of {self._takes} inputs" if self._takes else "a list of inputs"
        if not isinstance(shapes, list):
            raise ArgumentTypeError(
                message(
                    self.label, expected=count, got=f"one input of shape {shapes}", do="Write layer([a, b])."
                )
            )
        if not shapes or (self._takes and len(shapes) != self._takes):
            raise ShapeError(message(self.label, expected=count, got=f"{len(shapes)}: {shapes}"))
        self.compute_output_shape(shapes)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the broadcast shape."""
        if not isinstance(input_shape, list):
            self.check_shapes(input_shape)
        merged = tuple(input_shape[0][1:])
        for shape in input_shape[1:]:
            merged = self._broadcast(merged, tuple(shape[1:]), input_shape)
        batches = {shape[0] for shape in input_shape if shape} - {None}
        if len(batches) > 1:
            self._refuse(input_shape)
        return (batches.pop() if batches else None, *merged)

    def _broadcast(self, a: tuple[Any, ...], b: tuple[Any, ...], shapes: Any) -> tuple[Any, ...]:
        longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
        shorter = (1,) * (len(longer) - len(shorter)) + shorter
        sizes = []
        for m, n in zip(longer, shorter, strict=True):
            if m == 1 or n == 1:
                sizes.append(n if m == 1 else m)
            elif m is None or n is None:
                sizes.append(None)
            elif m == n:
                sizes.append(m)
            else:
                self._refuse(shapes)
        return tuple(sizes)

    def _refuse(self, shapes: Any) -> None:
        raise ShapeError(
            message(
                self.label,
                expected="inputs with equal sizes (or 1, which is repeated)",
                got=" and ".join(str(tuple(shape)) for shape in shapes),
                do="Look at strides, padding and filters of the layers before it.",
            )
        )

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the type of the first input."""
        return input_dtype


@LAYERS.register("add")
class Add(Merge):
    """Add the inputs.

    Example:
        >>> Add()([torch.ones(1, 2), torch.ones(1, 2)])
        tensor([[2., 2.]])
    """

    def merge(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Add tensors."""
        total = inputs[0]
        for x in inputs[1:]:
            total = total + x
        return total


@LAYERS.register("subtract")
class Subtract(Merge):
    """Subtract the second input from the first.

    Example:
        >>> Subtract()([torch.ones(1, 2), torch.ones(1, 2)])
        tensor([[0., 0.]])
    """

    _takes = 2

    def merge(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Subtract tensors."""
        return inputs[0] - inputs[1]


@LAYERS.register("multiply")
class Multiply(Merge):
    """Multiply the inputs value by value.

    Example:
        >>> Multiply()([torch.ones(1, 2), torch.zeros(1, 2)])
        tensor([[0., 0.]])
    """

    def merge(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Multiply tensors."""
        if any_masked(inputs):
            return masked_product(inputs)
        product = inputs[0]
        for x in inputs[1:]:
            product = product * x
        return product


@LAYERS.register("average")
class Average(Merge):
    """Take the mean of the inputs value by value.

    Example:
        >>> Average()([torch.ones(1, 2), torch.zeros(1, 2)])
        tensor([[0.5000, 0.5000]])
    """

    def merge(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Average tensors."""
        total = self.as_float(inputs[0])
        for x in inputs[1:]:
            total = total + x
        return total / len(inputs)

    def compute_output_dtype(self, input_dtype: str) -> str:
        """Return the input's float type, or the layer's."""
        return Layer.compute_output_dtype(self, input_dtype)


@LAYERS.register("maximum")
class Maximum(Merge):
    """Take the largest of the inputs value by value.

    Example:
        >>> Maximum()([torch.ones(1, 2), torch.zeros(1, 2)])
        tensor([[1., 1.]])
    """

    def merge(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Take the maximum of tensors."""
        if any_masked(inputs):
            return masked_extreme(torch.maximum, inputs)
        largest = inputs[0]
        for x in inputs[1:]:
            largest = torch.maximum(largest, x)
        return largest


@LAYERS.register("minimum")
class Minimum(Merge):
    """Take the smallest of the inputs value by value.

    Example:
        >>> Minimum()([torch.ones(1, 2), torch.zeros(1, 2)])
        tensor([[0., 0.]])
    """

    def merge(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Take the minimum of tensors."""
        if any_masked(inputs):
            return masked_extreme(torch.minimum, inputs)
        smallest = inputs[0]
        for x in inputs[1:]:
            smallest = torch.minimum(smallest, x)
        return smallest


def add(inputs: Any, **kwargs: Any) -> Any:
    """Add the inputs: `Add(**kwargs)(inputs)`."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """Subtract the second input from the first: `Subtract(**kwargs)(inputs)`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """Multiply the inputs value by value: `Multiply(**kwargs)(inputs)`."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """Take the mean of the inputs value by value: `Average(**kwargs)(inputs)`."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """Take the largest of the inputs value by value: `Maximum(**kwargs)(inputs)`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """Take the smallest of the inputs value by value: `Minimum(**kwargs)(inputs)`."""
    return Minimum(**kwargs)(inputs)


def merged_shapes(inputs: Any) -> Any:
    if isinstance(inputs, (list, tuple)):
        return [tuple(x.shape) for x in inputs]
    return tuple(inputs.shape)


def _same_ranks(inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    rank = max(x.ndim for x in inputs)
    return [x.reshape(x.shape[0], *(1,) * (rank - x.ndim), *x.shape[1:]) for x in inputs]
