"""Convolutions of each channel on its own."""

from __future__ import annotations

from typing import Any

from neocog.core import check_int
from neocog.layers._conv_base import WindowConv
from neocog.layers._registry import LAYERS
from neocog.layers._sizes import known_size
from neocog.layers._views import weight_view
from neocog.layers._weights import WeightView


class DepthwiseConv(WindowConv):
    """Convolve each channel with `depth_multiplier` kernels of its own; channels do not mix.

    Args:
        kernel_size: size of the window: one number, or one for each spatial axis.
        strides: steps between windows, likewise; default 1.
        padding: `"valid"` (none, the default) or `"same"` (zeros, the odd one goes after); in any case.
        depth_multiplier: outputs of each channel; default 1.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        dilation_rate: distance between the taps of a window; default 1.
        activation: function or its name; None is the identity.
        use_bias: False leaves the bias out.
        depthwise_initializer: of the kernel, shape (*kernel_size, channels, depth_multiplier).
        bias_initializer: of the bias, shape (channels · depth_multiplier,).
        depthwise_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the outputs.
        depthwise_constraint: applied to the kernel after each update.
        bias_constraint: applied to the bias after each update.
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
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
        self.depth_multiplier = check_int(self.label, "depth_multiplier", depth_multiplier, minimum=1)
        self.set_rules("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self.parts = 0

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        self.parts = self.learn_channels(input_shape)
        self.check_window(input_shape)
        self.make_depthwise_kernel("kernel", "weight", self.parts, self.depth_multiplier)
        self.make_bias(self.parts * self.depth_multiplier)

    @property
    def kernel(self) -> WeightView:
        """The kernel in Keras's layout, (*kernel_size, channels, depth_multiplier)."""
        return weight_view(self, "kernel")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs, None for unknown sizes."""
        channels = known_size(self.label, input_shape, self._layout.channel_axis)
        sizes = self.window_sizes(input_shape)
        return self._layout.with_sizes(input_shape, sizes, channels * self.depth_multiplier)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "depth_multiplier": self.depth_multiplier,
            **self.rules_config("depthwise"),
        }


@LAYERS.register("depthwise_conv1d")
class DepthwiseConv1D(DepthwiseConv):
    """Convolve each channel of series on its own.

    Shapes:
        (batch, length, channels) to (batch, new length, channels · depth_multiplier); channels in front with
        `"channels_first"`. Torch's `weight` is (channels · depth_multiplier, 1, kernel_size).

    Example:
        >>> import torch
        >>> DepthwiseConv1D(3, depth_multiplier=2)(torch.ones(2, 10, 8)).shape
        torch.Size([2, 8, 16])
    """

    rank = 1


@LAYERS.register("depthwise_conv2d")
class DepthwiseConv2D(DepthwiseConv):
    """Convolve each channel of images on its own.

    Shapes:
        (batch, height, width, channels) to (batch, new height, new width, channels · depth_multiplier);
        channels in front with `"channels_first"`. Torch's `weight` is (channels · depth_multiplier, 1,
        *kernel_size).

    Example:
        >>> import torch
        >>> DepthwiseConv2D(3, padding="same")(torch.ones(2, 14, 14, 8)).shape
        torch.Size([2, 14, 14, 8])

    Reference:
        Howard et al., MobileNets: efficient convolutional networks for mobile vision applications, 2017.
    """

    rank = 2
