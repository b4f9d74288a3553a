"""Convolutions of each channel on its own, then across channels."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_int
from neocog.functional import Plans, conv, conv_padding, fixed_conv_padding, make_window
from neocog.layers._conv_base import BaseConv, check_filters
from neocog.layers._registry import LAYERS
from neocog.layers._views import weight_view
from neocog.layers._weights import WeightView


class SeparableConv(BaseConv):
    """Convolve each channel on its own, then mix the channels at each place.

    Args:
        filters: number of outputs at each place.
        kernel_size: size of the window: one number, or one for each spatial axis.
        strides: steps between windows, likewise; default 1.
        padding: `"valid"` (none, the default) or `"same"` (zeros, the odd one goes after); in any case.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        dilation_rate: distance between the taps of a window; default 1.
        depth_multiplier: kernels for each channel; default 1.
        activation: function or its name; None is the identity.
        use_bias: False leaves the bias out.
        depthwise_initializer: of the depthwise kernel, shape (*kernel_size, channels, depth_multiplier).
        pointwise_initializer: of the pointwise kernel, shape (1, …, channels · depth_multiplier, filters).
        bias_initializer: of the bias, shape (filters,).
        depthwise_regularizer: of the depthwise kernel.
        pointwise_regularizer: of the pointwise kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the outputs.
        depthwise_constraint: applied to the depthwise kernel after each update.
        pointwise_constraint: applied to the pointwise kernel after each update.
        bias_constraint: applied to the bias after each update.

    Reference:
        Chollet, Xception: deep learning with depthwise separable convolutions, CVPR 2017.
    """

    depthwise_weight: torch.Tensor
    pointwise_weight: torch.Tensor

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self._plan(filters, depth_multiplier)
        self.set_rules("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self.set_rules("pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)

    def _plan(self, filters: Any, depth_multiplier: Any) -> None:
        """Check how many outputs are wanted, and plan the two convolutions."""
        self.filters, _ = check_filters(self.label, filters)
        self.depth_multiplier = check_int(self.label, "depth_multiplier", depth_multiplier, minimum=1)
        self._padding = fixed_conv_padding(self._window)  # None: it depends on the inputs' sizes
        self._plans = Plans(conv_padding, self._window)
        ones = (1,) * self.rank
        self._point = make_window(ones, ones, ones, "valid")
        self._no_padding = conv_padding(self._point, self._point.kernel)
        self._channels = 0

    def build(self, input_shape: Any) -> None:
        """Make the two kernels and the bias."""
        self._channels = self.learn_channels(input_shape)
        self.check_window(input_shape)
        self.make_depthwise_kernel(
            "depthwise_kernel", "depthwise_weight", self._channels, self.depth_multiplier
        )
        self.make_kernel(
            "pointwise_kernel",
            "pointwise_weight",
            (1,) * self.rank,
            self._channels * self.depth_multiplier,
            self.filters,
            rules="pointwise",
        )
        self.make_bias(self.filters)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        if not inputs.is_floating_point():
            inputs = self.as_float(inputs)
        x = self._layout.inward(inputs)
        try:
            padding = self._padding or self._plans(x.shape[2:])
            x = conv(x, self.depthwise_weight, None, self._window, padding, self._channels)
        except RuntimeError:
            self.check_window(inputs.shape)
            raise
        return self.finish(conv(x, self.pointwise_weight, self.bias_inside, self._point, self._no_padding))

    @property
    def depthwise_kernel(self) -> WeightView:
        """The depthwise kernel in Keras's layout, (*kernel_size, channels, depth_multiplier)."""
        return weight_view(self, "depthwise_kernel")

    @property
    def pointwise_kernel(self) -> WeightView:
        """The pointwise kernel in Keras's layout, (1, …, channels · depth_multiplier, filters)."""
        return weight_view(self, "pointwise_kernel")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs, None for unknown sizes."""
        return self._layout.with_sizes(input_shape, self.window_sizes(input_shape), self.filters)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "depth_multiplier": self.depth_multiplier,
            **self.rules_config("depthwise"),
            **self.rules_config("pointwise"),
        }


@LAYERS.register("separable_conv1d", "SeparableConvolution1D")
class SeparableConv1D(SeparableConv):
    """Convolve series, each channel on its own and then across channels.

    Shapes:
        (batch, length, channels) to (batch, new length, filters); channels in front with `"channels_first"`.

    Example:
        >>> SeparableConv1D(4, 3, padding="same")(torch.ones(2, 10, 8)).shape
        torch.Size([2, 10, 4])
    """

    rank = 1


@LAYERS.register("separable_conv2d", "SeparableConvolution2D")
class SeparableConv2D(SeparableConv):
    """Convolve images, each channel on its own and then across channels.

    Shapes:
        (batch, height, width, channels) to (batch, new height, new width, filters); channels in front with
        `"channels_first"`.

    Example:
        >>> SeparableConv2D(16, 3, padding="same")(torch.ones(2, 14, 14, 8)).shape
        torch.Size([2, 14, 14, 16])
    """

    rank = 2
