"""Convolutions over 1, 2 and 3 spatial axes."""

from __future__ import annotations

from typing import Any

from neocog.exceptions import ShapeError, message
from neocog.layers._conv_base import WindowConv, check_filters
from neocog.layers._registry import LAYERS
from neocog.layers._views import weight_view
from neocog.layers._weights import WeightView


class Conv(WindowConv):
    """Slide `filters` small kernels over the inputs: `activation(kernel ⋆ inputs + bias)`.

    Args:
        filters: number of outputs at each place.
        kernel_size: size of the window: one number, or one for each spatial axis.
        strides: steps between windows, likewise; default 1.
        padding: `"valid"` (none, the default), `"same"` (zeros, so that strides of 1 keep the size; the odd
            one goes after), or for series `"causal"` (zeros before: no output sees later inputs); in any
            case.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        dilation_rate: distance between the taps of a window; default 1. Not together with strides.
        groups: parts that the channels are split into, each with `filters / groups` filters; default 1.
        activation: function or its name; None is the identity.
        use_bias: False leaves the bias out.
        kernel_initializer: of the kernel, shape (*kernel_size, channels / groups, filters).
        bias_initializer: of the bias, shape (filters,).
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the outputs.
        kernel_constraint: applied to the kernel after each update.
        bias_constraint: applied to the bias after each update.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
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
        self.filters, self.groups = check_filters(self.label, filters, groups)
        self.parts = self.groups
        self.refuse_strided_dilation()
        self.set_rules("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        channels = self.learn_channels(input_shape)
        if channels % self.groups:
            raise ShapeError(
                message(
                    self.label,
                    expected=f"channels to be a multiple of groups={self.groups}",
                    got=tuple(input_shape),
                )
            )
        self.check_window(input_shape)
        self.make_kernel("kernel", "weight", self.kernel_size, channels // self.groups, self.filters)
        self.make_bias(self.filters)

    @property
    def kernel(self) -> WeightView:
        """The kernel in Keras's layout, (*kernel_size, channels / groups, filters)."""
        return weight_view(self, "kernel")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs, None for unknown sizes."""
        return self._layout.with_sizes(input_shape, self.window_sizes(input_shape), self.filters)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "groups": self.groups,
            **self.rules_config("kernel"),
        }


@LAYERS.register("conv1d", "Convolution1D")
class Conv1D(Conv):
    """Convolve series: `activation(kernel ⋆ inputs + bias)` along one axis.

    Shapes:
        (batch, length, channels) to (batch, new length, filters); channels in front with `"channels_first"`.
        Torch's `weight` is (filters, channels / groups, kernel_size).

    Example:
        >>> import torch
        >>> Conv1D(4, 3, padding="causal")(torch.ones(2, 10, 8)).shape
        torch.Size([2, 10, 4])
    """

    rank = 1
    paddings = ("valid", "same", "causal")


@LAYERS.register("conv2d", "Convolution2D")
class Conv2D(Conv):
    """Convolve images: `activation(kernel ⋆ inputs + bias)` over height and width.

    Shapes:
        (batch, height, width, channels) to (batch, new height, new width, filters); channels in front with
        `"channels_first"`. Torch's `weight` is (filters, channels / groups, *kernel_size).

    Example:
        >>> import torch
        >>> Conv2D(32, 3, strides=2, padding="same", activation="relu")(torch.ones(2, 28, 28, 1)).shape
        torch.Size([2, 14, 14, 32])
    """

    rank = 2


@LAYERS.register("conv3d", "Convolution3D")
class Conv3D(Conv):
    """Convolve volumes: `activation(kernel ⋆ inputs + bias)` over depth, height and width.

    Shapes:
        (batch, depth, height, width, channels) to (batch, new depth, new height, new width, filters);
        channels in front with `"channels_first"`. Torch's `weight` is (filters, channels / groups,
        *kernel_size).

    Example:
        >>> import torch
        >>> Conv3D(4, 3)(torch.ones(1, 5, 5, 5, 2)).shape
        torch.Size([1, 3, 3, 3, 4])
    """

    rank = 3
