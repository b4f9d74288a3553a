"""Pooling to a given size, whatever the size of the inputs."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from neocog.core import check_ntuple, standardize_data_format
from neocog.functional import layout
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS
from neocog.layers._spatial_sizes import check_sizes


class AdaptivePooling(Layer):
    """Summarise each channel in `output_size` windows that cover the inputs.

    Window i of n runs from `floor(i · size / n)` to `ceil((i + 1) · size / n)`.

    Args:
        output_size: how many windows: one number, or one for each spatial axis.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
    """

    rank: int

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.output_size = check_ntuple(self.label, "output_size", output_size, self.rank)
        self.data_format = standardize_data_format(data_format)
        self._layout = layout(self.rank, self.data_format)
        self._target: Any = (1, *self.output_size) if self.rank == 1 else self.output_size
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        if 0 in inputs.shape[1:]:
            self._check_window(inputs.shape)
        return self._layout.outward(self._pool(self._layout.inward(self.as_float(inputs))))

    def _pool(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def _check_window(self, shape: Any) -> None:
        ones = (1,) * self.rank
        check_sizes(self.label, self._layout.sizes(shape), ones, shape, "Its input is empty.")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs, None for unknown sizes."""
        self._check_window(input_shape)
        return self._layout.with_sizes(input_shape, self.output_size)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "output_size": self.output_size, "data_format": self.data_format}


class AdaptiveAveragePooling(AdaptivePooling):
    """Average each window."""

    def _pool(self, x: torch.Tensor) -> torch.Tensor:
        if self.rank == 3:
            return F.adaptive_avg_pool3d(x, self._target)
        return F.adaptive_avg_pool2d(x, self._target)


class AdaptiveMaxPooling(AdaptivePooling):
    """Keep the maximum of each window."""

    def _pool(self, x: torch.Tensor) -> torch.Tensor:
        if self.rank == 3:
            return F.adaptive_max_pool3d(x, self._target)
        return F.adaptive_max_pool2d(x, self._target)


@LAYERS.register("adaptive_average_pooling1d")
class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """Average windows of each channel of series, as many as asked for.

    Shapes:
        (batch, length, channels) to (batch, output_size, channels).

    Example:
        >>> AdaptiveAveragePooling1D(3)(torch.ones(2, 7, 3)).shape
        torch.Size([2, 3, 3])
    """

    rank = 1


@LAYERS.register("adaptive_average_pooling2d")
class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """Average windows of each channel of images, as many as asked for.

    Shapes:
        (batch, height, width, channels) to (batch, *output_size, channels).

    Example:
        >>> AdaptiveAveragePooling2D(3)(torch.ones(2, 7, 5, 3)).shape
        torch.Size([2, 3, 3, 3])
    """

    rank = 2


@LAYERS.register("adaptive_average_pooling3d")
class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """Average windows of each channel of volumes, as many as asked for.

    Shapes:
        (batch, depth, height, width, channels) to (batch, *output_size, channels).

    Example:
        >>> AdaptiveAveragePooling3D(3)(torch.ones(2, 7, 5, 4, 3)).shape
        torch.Size([2, 3, 3, 3, 3])
    """

    rank = 3


@LAYERS.register("adaptive_max_pooling1d")
class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """Keep the maximum of windows of each channel of series, as many as asked for.

    Shapes:
        (batch, length, channels) to (batch, output_size, channels).

    Example:
        >>> AdaptiveMaxPooling1D(3)(torch.ones(2, 7, 3)).shape
        torch.Size([2, 3, 3])
    """

    rank = 1


@LAYERS.register("adaptive_max_pooling2d")
class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """Keep the maximum of windows of each channel of images, as many as asked for.

    Shapes:
        (batch, height, width, channels) to (batch, *output_size, channels).

    Example:
        >>> AdaptiveMaxPooling2D(3)(torch.ones(2, 7, 5, 3)).shape
        torch.Size([2, 3, 3, 3])
    """

    rank = 2


@LAYERS.register("adaptive_max_pooling3d")
class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """Keep the maximum of windows of each channel of volumes, as many as asked for.

    Shapes:
        (batch, depth, height, width, channels) to (batch, *output_size, channels).

    Example:
        >>> AdaptiveMaxPooling3D(3)(torch.ones(2, 7, 5, 4, 3)).shape
        torch.Size([2, 3, 3, 3, 3])
    """

    rank = 3
