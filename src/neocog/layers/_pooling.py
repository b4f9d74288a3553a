"""Maximum and average pooling over 1, 2 and 3 spatial axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from neocog.core import check_ntuple, check_one_of, standardize_data_format
from neocog.functional import (
    Plans,
    PoolPadding,
    Window,
    average_padding,
    average_pool,
    layout,
    make_window,
    max_pool,
    output_length,
    pool_padding,
    smallest_input,
)
from neocog.layers._input_spec import InputSpec
from neocog.layers._layer import Layer
from neocog.layers._registry import LAYERS
from neocog.layers._spatial_sizes import check_sizes


class Pooling(Layer):
    """Summarise windows of each channel.

    Args:
        pool_size: size of the window: one number, or one for each spatial axis.
        strides: steps between windows, likewise; `pool_size` when None.
        padding: `"valid"` (windows inside only, the default) or `"same"` (as many windows as strides fit;
            what is added counts for nothing); in any case.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
    """

    rank: int
    pool: Callable[[torch.Tensor, Window, PoolPadding], torch.Tensor]
    plan: Callable[[Window, tuple[int, ...]], PoolPadding]

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = check_ntuple(self.label, "pool_size", pool_size, self.rank)
        self.strides = (
            self.pool_size if strides is None else check_ntuple(self.label, "strides", strides, self.rank)
        )
        self.padding: str = check_one_of(self.label, "padding", padding, ("valid", "same"))
        self.data_format = standardize_data_format(data_format)
        self._layout = layout(self.rank, self.data_format)
        self._window = make_window(self.pool_size, self.strides, (1,) * self.rank, self.padding)
        fixed = self.padding == "valid"
        self._padding = type(self).plan(self._window, self._window.kernel) if fixed else None
        self._plans = Plans(type(self).plan, self._window)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        return self._layout.outward(self.pooled(inputs))

    def pooled(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the outputs in torch's layout."""
        if not inputs.is_floating_point():
            inputs = self.as_float(inputs)
        x = self._layout.inward(inputs)
        try:
            padding = self._padding or self._plans(x.shape[2:])
            return type(self).pool(x, self._window, padding)
        except RuntimeError:
            self._check_window(inputs.shape)
            raise

    def _check_window(self, shape: Any) -> None:
        check_sizes(
            self.label,
            self._layout.sizes(shape),
            smallest_input(self._window)[-self.rank :],
            shape,
            'Use padding="same", larger inputs, or fewer strides and poolings before it.',
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs, None for unknown sizes."""
        self._check_window(input_shape)
        axes = zip(self._layout.sizes(input_shape), self.pool_size, self.strides, strict=True)
        sizes = [output_length(size, k, s, 1, self.padding) for size, k, s in axes]
        return self._layout.with_sizes(input_shape, sizes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }


class MaxPooling(Pooling):
    """Keep the maximum of each window.

    Args:
        pool_size: size of the window: one number (default 2), or one for each spatial axis.
        strides: steps between windows, likewise; `pool_size` when None.
        padding: `"valid"` or `"same"`, as in Pooling.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
    """

    pool = staticmethod(max_pool)
    plan = staticmethod(pool_padding)

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class AveragePooling(Pooling):
    """Average each window; with `"same"`, padding of the same size on both sides of every axis does not
    count.

    Where an odd pixel is added to some axis, copies of the border pixels stand in for the padding and do
    count, as
    in Keras on torch (Keras on TensorFlow leaves them out).
    """

    pool = staticmethod(average_pool)
    plan = staticmethod(average_padding)


@LAYERS.register("max_pooling1d", "MaxPool1D")
class MaxPooling1D(MaxPooling):
    """Keep the maximum of each window of series.

    Shapes:
        (batch, length, channels) to (batch, new length, channels); channels in front with `"channels_first"`.

    Example:
        >>> MaxPooling1D(2)(torch.tensor([[[1.0], [3.0], [2.0], [0.0]]])).flatten()
        tensor([3., 2.])
    """

    rank = 1


@LAYERS.register("max_pooling2d", "MaxPool2D")
class MaxPooling2D(MaxPooling):
    """Keep the maximum of each window of images.

    Shapes:
        (batch, height, width, channels) to (batch, new height, new width, channels); channels in front with
        `"channels_first"`.

    Example:
        >>> MaxPooling2D(2)(torch.ones(2, 28, 28, 8)).shape
        torch.Size([2, 14, 14, 8])
    """

    rank = 2


@LAYERS.register("max_pooling3d", "MaxPool3D")
class MaxPooling3D(MaxPooling):
    """Keep the maximum of each window of volumes.

    Shapes:
        (batch, depth, height, width, channels) to (batch, new depth, new height, new width, channels);
        channels in front with `"channels_first"`.

    Example:
        >>> MaxPooling3D(2)(torch.ones(1, 4, 4, 4, 2)).shape
        torch.Size([1, 2, 2, 2, 2])
    """

    rank = 3


@LAYERS.register("average_pooling1d", "AvgPool1D")
class AveragePooling1D(AveragePooling):
    """Average each window of series; arguments as in MaxPooling1D, but `pool_size` must be given.

    Shapes:
        (batch, length, channels) to (batch, new length, channels); channels in front with `"channels_first"`.

    Example:
        >>> AveragePooling1D(2, padding="same")(torch.tensor([[[1.0], [3.0], [5.0]]])).flatten()
        tensor([2., 5.])
    """

    rank = 1


@LAYERS.register("average_pooling2d", "AvgPool2D")
class AveragePooling2D(AveragePooling):
    """Average each window of images; arguments as in MaxPooling2D, but `pool_size` must be given.

    Shapes:
        (batch, height, width, channels) to (batch, new height, new width, channels); channels in front with
        `"channels_first"`.

    Example:
        >>> AveragePooling2D(2)(torch.ones(2, 28, 28, 8)).shape
        torch.Size([2, 14, 14, 8])
    """

    rank = 2


@LAYERS.register("average_pooling3d", "AvgPool3D")
class AveragePooling3D(AveragePooling):
    """Average each window of volumes; arguments as in MaxPooling3D, but `pool_size` must be given.

    Shapes:
        (batch, depth, height, width, channels) to (batch, new depth, new height, new width, channels);
        channels in front with `"channels_first"`.

    Example:
        >>> AveragePooling3D(2)(torch.ones(1, 4, 4, 4, 2)).shape
        torch.Size([1, 2, 2, 2, 2])
    """

    rank = 3
