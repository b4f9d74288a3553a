"""Transposed convolutions over 1, 2 and 3 spatial axes."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import check_ntuple
from neocog.exceptions import ArgumentError, message
from neocog.functional import conv_transpose, transposed_length, transposed_padding
from neocog.layers._conv_base import BaseConv, check_filters
from neocog.layers._registry import LAYERS
from neocog.layers._spatial_sizes import check_sizes
from neocog.layers._views import weight_view
from neocog.layers._weights import WeightView


class ConvTranspose(BaseConv):
    """Enlarge the inputs: each value adds its multiple of the kernel to the outputs, `strides` apart.

    Args:
        filters: number of outputs at each place.
        kernel_size: size of the kernel: one number, or one for each spatial axis.
        strides: how far apart neighbouring inputs stand in the outputs, likewise; default 1.
        padding: `"valid"` (everything, the default) or `"same"` (`strides` times the inputs' size); in any
            case.
        output_padding: outputs added at the end, likewise, less than `strides`; None lets `padding` decide.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        dilation_rate: distance between the taps of the kernel; default 1. Not together with strides.
        activation: function or its name; None is the identity.
        use_bias: False leaves the bias out.
        kernel_initializer: of the kernel, shape (*kernel_size, filters, channels).
        bias_initializer: of the bias, shape (filters,).
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the outputs.
        kernel_constraint: applied to the kernel after each update.
        bias_constraint: applied to the bias after each update.

    Reference:
        Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, chapter 4.
    """

    weight: torch.Tensor

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        self.filters, _ = check_filters(self.label, filters)
        self.refuse_strided_dilation()
        self.set_rules("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.output_padding = self._checked_output_padding(output_padding)
        self._plan()

    def _plan(self) -> None:
        """Find the smallest inputs that give an output, and how to cut torch's output."""
        self._smallest = tuple(self._smallest_size(axis) for axis in range(self.rank))
        extra = self.output_padding or (None,) * self.rank
        self._cuts = transposed_padding(self._window, extra if self.rank > 1 else (None, *extra))

    def _checked_output_padding(self, output_padding: Any) -> tuple[int, ...] | None:
        if output_padding is None:
            return None
        extra = check_ntuple(self.label, "output_padding", output_padding, self.rank, minimum=0)
        if any(more >= stride for more, stride in zip(extra, self.strides, strict=True)):
            raise ArgumentError(
                message(self.label, expected=f"output_padding below strides={self.strides}", got=extra)
            )
        return extra

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        channels = self.learn_channels(input_shape)
        self.check_window(input_shape)
        self.make_kernel("kernel", "weight", self.kernel_size, self.filters, channels)
        self.make_bias(self.filters)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        """Compute the outputs."""
        if not inputs.is_floating_point():
            inputs = self.as_float(inputs)
        if max(self._smallest) > 1:  # torch would return an empty tensor
            self.check_window(inputs.shape)
        try:
            outputs = conv_transpose(
                self._layout.inward(inputs), self.weight, self.bias_inside, self._window, self._cuts
            )
        except RuntimeError:
            self.check_window(inputs.shape)
            raise
        return self.finish(outputs)

    @property
    def kernel(self) -> WeightView:
        """The kernel in Keras's layout, (*kernel_size, filters, channels)."""
        return weight_view(self, "kernel")

    def check_window(self, shape: Any) -> None:
        """Raise ShapeError where inputs of this shape are too small to give an output."""
        sizes = self._layout.sizes(shape)
        check_sizes(
            self.label, sizes, self._smallest, shape, "Use larger inputs, or leave output_padding out."
        )

    def _smallest_size(self, axis: int) -> int:
        size = 1
        while (self._length(size, axis) or 0) < 1:
            size += 1
        return size

    def _length(self, size: int | None, axis: int) -> int | None:
        extra = None if self.output_padding is None else self.output_padding[axis]
        return transposed_length(
            size, self.kernel_size[axis], self.strides[axis], self.dilation_rate[axis], self.padding, extra
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs, None for unknown sizes."""
        self.check_window(input_shape)
        sizes = [self._length(size, axis) for axis, size in enumerate(self._layout.sizes(input_shape))]
        return self._layout.with_sizes(input_shape, sizes, self.filters)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "output_padding": self.output_padding,
            **self.rules_config("kernel"),
        }


@LAYERS.register("conv1d_transpose", "Convolution1DTranspose")
class Conv1DTranspose(ConvTranspose):
    """Enlarge series by a transposed convolution.

    Shapes:
        (batch, length, channels) to (batch, new length, filters); channels in front with `"channels_first"`.
        Torch's `weight` is (channels, filters, kernel_size).

    Example:
        >>> Conv1DTranspose(4, 3, strides=2, padding="same")(torch.ones(2, 5, 8)).shape
        torch.Size([2, 10, 4])
    """

    rank = 1


@LAYERS.register("conv2d_transpose", "Convolution2DTranspose")
class Conv2DTranspose(ConvTranspose):
    """Enlarge images by a transposed convolution.

    Shapes:
        (batch, height, width, channels) to (batch, new height, new width, filters); channels in front with
        `"channels_first"`. Torch's `weight` is (channels, filters, *kernel_size).

    Example:
        >>> Conv2DTranspose(4, 3, strides=2, padding="same")(torch.ones(2, 7, 7, 8)).shape
        torch.Size([2, 14, 14, 4])
    """

    rank = 2


@LAYERS.register("conv3d_transpose", "Convolution3DTranspose")
class Conv3DTranspose(ConvTranspose):
    """Enlarge volumes by a transposed convolution.

    Args:
        filters: number of outputs at each place.
        kernel_size: size of the kernel: one number, or one for each spatial axis.
        strides: how far apart neighbouring inputs stand in the outputs, likewise; default 1.
        padding: `"valid"` (everything, the default) or `"same"` (`strides` times the inputs' size).
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        output_padding: outputs added at the end, likewise, less than `strides`; None lets `padding` decide.
        dilation_rate: distance between the taps of the kernel; default 1. Not together with strides.
        activation: function or its name; None is the identity.
        use_bias: False leaves the bias out.
        kernel_initializer: of the kernel, shape (*kernel_size, filters, channels).
        bias_initializer: of the bias, shape (filters,).
        kernel_regularizer: of the kernel.
        bias_regularizer: of the bias.
        activity_regularizer: of the outputs.
        kernel_constraint: applied to the kernel after each update.
        bias_constraint: applied to the bias after each update.

    Shapes:
        (batch, depth, height, width, channels) to (batch, new depth, new height, new width, filters);
        channels in front with `"channels_first"`. Torch's `weight` is (channels, filters, *kernel_size).

    Example:
        >>> Conv3DTranspose(4, 2, strides=2)(torch.ones(1, 3, 3, 3, 2)).shape
        torch.Size([1, 6, 6, 6, 4])
    """

    rank = 3

    # Keras has data_format before output_padding here.
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = 1,
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
            filters,
            kernel_size,
            strides,
            padding,
            output_padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )
