"""Pooling of each channel over all places."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import standardize_data_format
from neocog.functional import layout
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS
from neocog.layers._spatial_sizes import check_sizes


class GlobalPooling(Layer):
    """Summarise each channel in one number.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        keepdims: True keeps the spatial axes, with size 1.
    """

    rank: int

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = bool(keepdims)
        self._layout = layout(self.rank, self.data_format)
        self._axes = self._layout.spatial_axes
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _check_window(self, shape: Any) -> None:
        ones = (1,) * self.rank
        check_sizes(self.label, self._layout.sizes(shape), ones, shape, "Its input is empty.")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs, None for unknown sizes."""
        self._check_window(input_shape)
        if self.keepdims:
            return self._layout.with_sizes(input_shape, (1,) * self.rank)
        return (input_shape[0], input_shape[self._layout.channel_axis])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class GlobalMaxPooling(GlobalPooling):
    """Keep the maximum of each channel."""

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        try:
            return self.as_float(inputs).amax(self._axes, self.keepdims)
        except IndexError:  # torch's answer to an empty maximum
            self._check_window(inputs.shape)
            raise


class GlobalAveragePooling(GlobalPooling):
    """Average each channel."""

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        if 0 in inputs.shape[1:]:
            self._check_window(inputs.shape)
        return self.as_float(inputs).mean(self._axes, self.keepdims)


@LAYERS.register("global_max_pooling1d", "GlobalMaxPool1D")
class GlobalMaxPooling1D(GlobalMaxPooling):
    """Keep the maximum of each channel of series.

    Shapes:
        (batch, length, channels) to (batch, channels), or to (batch, 1, channels) with `keepdims`.

    Example:
        >>> GlobalMaxPooling1D()(torch.tensor([[[1.0], [3.0]]]))
        tensor([[3.]])
    """

    rank = 1


@LAYERS.register("global_max_pooling2d", "GlobalMaxPool2D")
class GlobalMaxPooling2D(GlobalMaxPooling):
    """Keep the maximum of each channel of images.

    Shapes:
        (batch, height, width, channels) to (batch, channels), or to (batch, 1, 1, channels) with `keepdims`.

    Example:
        >>> GlobalMaxPooling2D()(torch.ones(2, 7, 7, 8)).shape
        torch.Size([2, 8])
    """

    rank = 2


@LAYERS.register("global_max_pooling3d", "GlobalMaxPool3D")
class GlobalMaxPooling3D(GlobalMaxPooling):
    """Keep the maximum of each channel of volumes.

    Shapes:
        (batch, depth, height, width, channels) to (batch, channels), or with axes of size 1 with `keepdims`.

    Example:
        >>> GlobalMaxPooling3D(keepdims=True)(torch.ones(2, 3, 3, 3, 8)).shape
        torch.Size([2, 1, 1, 1, 8])
    """

    rank = 3


@LAYERS.register("global_average_pooling1d", "GlobalAvgPool1D")
class GlobalAveragePooling1D(GlobalAveragePooling):
    """Average each channel of series.

    Shapes:
        (batch, length, channels) to (batch, channels), or to (batch, 1, channels) with `keepdims`.

    Example:
        >>> GlobalAveragePooling1D()(torch.tensor([[[1.0], [3.0]]]))
        tensor([[2.]])
    """

    rank = 1

    def call(self, inputs: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Compute the outputs; `mask` (batch, length) is False at the places to leave out."""
        if mask is None:
            return super().call(inputs)
        inputs = self.as_float(inputs)
        kept = mask.to(torch.bool).unsqueeze(self._layout.channel_axis)
        total = torch.where(kept, inputs, 0.0).sum(self._axes, self.keepdims)
        return total / kept.to(inputs.dtype).sum(self._axes, self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return None: the time steps are gone."""
        return None


@LAYERS.register("global_average_pooling2d", "GlobalAvgPool2D")
class GlobalAveragePooling2D(GlobalAveragePooling):
    """Average each channel of images.

    Shapes:
        (batch, height, width, channels) to (batch, channels), or to (batch, 1, 1, channels) with `keepdims`.

    Example:
        >>> GlobalAveragePooling2D()(torch.ones(2, 7, 7, 8)).shape
        torch.Size([2, 8])
    """

    rank = 2


@LAYERS.register("global_average_pooling3d", "GlobalAvgPool3D")
class GlobalAveragePooling3D(GlobalAveragePooling):
    """Average each channel of volumes.

    Shapes:
        (batch, depth, height, width, channels) to (batch, channels), or with axes of size 1 with `keepdims`.

    Example:
        >>> GlobalAveragePooling3D()(torch.ones(2, 3, 3, 3, 8)).shape
        torch.Size([2, 8])
    """

    rank = 3
