"""Standardising inputs by the mean and variance of data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from neocog.core import check_int, epsilon, to_tensor
from neocog.exceptions import ArgumentError, DataError, ShapeError, message
from neocog.layers._activations import ElementwiseLayer
from neocog.layers._registry import LAYERS
from neocog.layers._sizes import checked_axis, known_size

_CHUNK = 1 << 22  # values taken to float64 at a time


@LAYERS.register("normalization")
class Normalization(ElementwiseLayer):
    """Subtract the mean and divide by the standard deviation, given or learned from data by `adapt`.

    Args:
        axis: axis, or several, that keep a mean of their own; None for one mean over everything.
        mean: the mean, where it is known; one number, or one for each place of `axis`.
        variance: the variance, where it is known.
        invert: True multiplies by the standard deviation and adds the mean: the way back.

    Shapes:
        Any, unchanged.

    Raises:
        ArgumentError: only one of `mean` and `variance` is given, or their shapes differ.

    Example:
        >>> layer = Normalization()
        >>> layer.adapt(np.array([[0.0], [2.0]]))
        >>> layer(np.array([[4.0]]))
        tensor([[3.]])
    """

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        several = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.axis = tuple(check_int(self.label, "axis", item) for item in several)
        self.input_mean: Any = None if mean is None else np.asarray(mean).tolist()
        self.input_variance: Any = None if variance is None else np.asarray(variance).tolist()
        self.invert = bool(invert)
        if np.shape(mean) != np.shape(variance) or (mean is None) != (variance is None):
            got = f"mean of shape {np.shape(mean)} and variance of shape {np.shape(variance)}"
            raise ArgumentError(
                message(self.label, expected="mean and variance of one shape, or none", got=got)
            )
        if len(np.shape(mean)) > len(self.axis):
            raise ArgumentError(
                message(self.label, expected=f"mean with at most {len(self.axis)} axes", got=np.shape(mean))
            )

    def build(self, input_shape: Any) -> None:
        """Make the mean and variance."""
        rank = len(input_shape)
        self._keep = sorted(checked_axis(self.label, axis, rank) for axis in self.axis)
        self._reduce = [axis for axis in range(rank) if axis not in self._keep]
        sizes = tuple(known_size(self.label, input_shape, axis) for axis in self._keep)
        self._broadcast = [1] * rank
        for axis, size in zip(self._keep, sizes, strict=True):
            self._broadcast[axis] = size
        if self.input_mean is None:
            self.make_weight("mean", "adapt_mean", sizes, "zeros", trainable=False)
            self.make_weight("variance", "adapt_variance", sizes, "ones", trainable=False)
            self.register_buffer("count", torch.zeros((), dtype=torch.int32))
            return
        for name, value in (("adapt_mean", self.input_mean), ("adapt_variance", self.input_variance)):
            tensor = to_tensor(value, dtype=self._dtype).broadcast_to(sizes).contiguous()
            self.register_buffer(name, tensor, persistent=False)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        inputs = self.as_float(inputs)
        deviation = torch.sqrt(self.variance).clamp_min(epsilon())
        return self.mean + inputs * deviation if self.invert else (inputs - self.mean) / deviation

    @property
    def mean(self) -> torch.Tensor:
        """The mean, in the shape in which it meets the inputs."""
        return self.get_buffer("adapt_mean").reshape(self._broadcast)

    @property
    def variance(self) -> torch.Tensor:
        """The variance, in the shape in which it meets the inputs."""
        return self.get_buffer("adapt_variance").reshape(self._broadcast)

    def adapt(self, data: Any) -> None:
        """Learn the mean and variance of data, in one pass.

        Args:
            data: an array, tensor, list of numbers, or iterable of batches; of (inputs, targets) the inputs.

        Raises:
            DataError: there are no data, or they are not numbers.
            ArgumentError: the layer was given its mean.
        """
        if self.input_mean is not None:
            raise ArgumentError(f"{self.label}: expected to learn its mean from data, but it was given one.")
        total = _Moments()
        for batch in self._batches(data):
            if not self.built:
                batch_counts = 0 in _places(self.axis, batch.ndim)
                self.build(tuple(batch.shape) if batch_counts else (None, *batch.shape[1:]))
            self._check_batch(batch)
            for part in _parts(batch, self._keep):
                total.add(part, self._reduce)
        if total.count == 0:
            raise DataError(f"{self.label}: expected data to adapt to, got none.")
        self.get_buffer("adapt_mean").copy_(total.mean)
        self.get_buffer("adapt_variance").copy_(total.variance)

    def _batches(self, data: Any) -> Iterator[torch.Tensor]:
        if isinstance(data, torch.Tensor) or hasattr(data, "__array__"):
            yield to_tensor(data)
            return
        if not isinstance(data, Iterable):
            raise DataError(
                message(self.label, expected="arrays or batches to adapt to", got=type(data).__name__)
            )
        if isinstance(data, (list, tuple)) and data and all(np.ndim(item) == 0 for item in data):
            yield to_tensor(data)
            return
        for item in data:
            first = item[0] if isinstance(item, (list, tuple)) and hasattr(item[0], "shape") else item
            yield to_tensor(first)

    def _check_batch(self, batch: torch.Tensor) -> None:
        fits = batch.ndim == len(self._broadcast) and all(
            batch.shape[axis] == self._broadcast[axis] for axis in self._keep
        )
        if not fits:
            raise ShapeError(
                message(
                    self.label,
                    expected=f"data that fit inputs of shape {self._build_shapes}",
                    got=tuple(batch.shape),
                )
            )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "axis": self.axis,
            "invert": self.invert,
            "mean": self.input_mean,
            "variance": self.input_variance,
        }


class _Moments:
    """Mean and variance of all values so far, in float64, merged part by part (Chan et al., 1979)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: Any = 0.0
        self.variance: Any = 0.0

    def add(self, part: torch.Tensor, axes: list[int]) -> None:
        """Take in a part of the data, reduced over `axes`."""
        values = part.to(torch.float64)
        count = math.prod(values.shape[axis] for axis in axes)
        if count == 0:
            return
        if axes:
            variance, mean = torch.var_mean(values, axes, correction=0)
        else:
            variance, mean = torch.zeros_like(values), values
        share = count / (self.count + count)
        merged = self.mean * (1 - share) + mean * share
        old = (self.variance + (self.mean - merged) ** 2) * (1 - share)
        self.variance = old + (variance + (mean - merged) ** 2) * share
        self.mean = merged
        self.count += count


def _places(axes: Sequence[int], rank: int) -> set[int]:
    return {axis % rank for axis in axes} if rank else set()


def _parts(batch: torch.Tensor, keep: list[int]) -> Iterator[torch.Tensor]:
    """Return a large batch in parts, so that float64 copies stay small."""
    if 0 in keep or batch.numel() <= _CHUNK or batch.ndim == 0:
        yield batch
        return
    rows = max(1, _CHUNK * batch.shape[0] // batch.numel())
    yield from torch.split(batch, rows)
