"""Convolutions as operations: kernels in Keras's layout, over one to three spatial axes."""

from __future__ import annotations

from typing import Any

import torch

from neocog import functional
from neocog.core import check_ntuple, check_one_of, standardize_data_format
from neocog.exceptions import ShapeError, message
from neocog.ops._op import as_tensor, op, together
from neocog.ops._shared import same_float


@op("keras.src.ops.nn>Conv", call="inputs kernel")
def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> torch.Tensor:
    """Return the convolution of `inputs` with `kernel` over their spatial axes.

    Args:
        inputs: (batch, *sizes, channels), 1 to 3 sizes; channels in front with `"channels_first"`.
        kernel: (*kernel sizes, channels / groups, filters); the number of groups follows from the channels.
        strides: steps between windows: one number, or one for each spatial axis.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        dilation_rate: distance between the taps of a window, likewise.

    Raises:
        ShapeError: the ranks or channels do not fit.

    Example:
        >>> conv(torch.ones(1, 5, 5, 2), torch.ones(3, 3, 2, 4)).shape
        torch.Size([1, 3, 3, 4])
    """
    inputs, kernel = same_float(*together(inputs, kernel))
    rank = spatial_rank("ops.conv", inputs)
    form = functional.layout(rank, standardize_data_format(data_format))
    if kernel.dim() != rank + 2:
        raise ShapeError(
            message("ops.conv", expected=f"a kernel of {rank + 2} axes", got=tuple(kernel.shape))
        )
    channels, own = inputs.shape[form.channel_axis], kernel.shape[-2]
    if channels % own:
        expected = f"kernel channels that divide the {channels} of the inputs"
        raise ShapeError(message("ops.conv", expected=expected, got=own))
    window = functional.make_window(
        tuple(kernel.shape[:rank]),
        check_ntuple("ops.conv", "strides", strides, rank),
        check_ntuple("ops.conv", "dilation_rate", dilation_rate, rank),
        check_one_of("ops.conv", "padding", padding, ("valid", "same")),
    )
    x = form.inward(inputs)
    weight = kernel.permute(-1, -2, *range(rank))
    plan = functional.conv_padding(window, tuple(x.shape[2:]))
    return form.outward(functional.conv(x, weight, None, window, plan, channels // own))


@op("keras.src.ops.nn>DepthwiseConv", call="inputs kernel")
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> torch.Tensor:
    """Return the convolution of each channel with kernels of its own.

    Args:
        inputs: (batch, *sizes, channels), 1 or 2 sizes; channels in front with `"channels_first"`.
        kernel: (*kernel sizes, channels, multiplier).
        strides: steps between windows: one number, or one for each spatial axis.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        dilation_rate: distance between the taps of a window, likewise.

    Raises:
        ShapeError: the channels differ.

    Example:
        >>> depthwise_conv(torch.ones(1, 5, 5, 2), torch.ones(3, 3, 2, 4)).shape
        torch.Size([1, 3, 3, 8])
    """
    kernel = as_tensor(kernel)
    inputs = as_tensor(inputs)
    axis = -1 if standardize_data_format(data_format) == "channels_last" else 1
    if inputs.shape[axis] != kernel.shape[-2]:
        expected = f"a kernel for {inputs.shape[axis]} channels"
        raise ShapeError(message("ops.depthwise_conv", expected=expected, got=tuple(kernel.shape)))
    flat = kernel.reshape(*kernel.shape[:-2], 1, kernel.shape[-2] * kernel.shape[-1])
    return conv(inputs, flat, strides, padding, data_format, dilation_rate)


@op("keras.src.ops.nn>SeparableConv", call="inputs depthwise_kernel pointwise_kernel")
def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> torch.Tensor:
    """Return a depthwise convolution followed by one of kernel size 1 that mixes the channels.

    Args:
        inputs: (batch, *sizes, channels), 1 or 2 sizes; channels in front with `"channels_first"`.
        depthwise_kernel: (*kernel sizes, channels, multiplier).
        pointwise_kernel: (*ones, channels · multiplier, filters).
        strides: steps between windows: one number, or one for each spatial axis.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        dilation_rate: distance between the taps of a window, likewise.

    Example:
        >>> separable_conv(torch.ones(1, 5, 5, 2), torch.ones(3, 3, 2, 1), torch.ones(1, 1, 2, 4)).shape
        torch.Size([1, 3, 3, 4])
    """
    x = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(x, pointwise_kernel, 1, "valid", data_format, 1)


@op("keras.src.ops.nn>ConvTranspose", call="inputs kernel")
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> torch.Tensor:
    """Return the transposed convolution of `inputs` with `kernel`: sizes grow by the strides.

    Args:
        inputs: (batch, *sizes, channels), 1 to 3 sizes; channels in front with `"channels_first"`.
        kernel: (*kernel sizes, filters, channels).
        strides: growth: one number, or one for each spatial axis.
        padding: `"valid"` or `"same"`.
        output_padding: what is added at the end of each axis; None for the usual length.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.
        dilation_rate: distance between the taps of a window, likewise.

    Raises:
        ShapeError: the ranks or channels do not fit.

    Example:
        >>> conv_transpose(torch.ones(1, 4, 4, 2), torch.ones(3, 3, 5, 2), 2, "same").shape
        torch.Size([1, 8, 8, 5])
    """
    where = "ops.conv_transpose"
    inputs, kernel = same_float(*together(inputs, kernel))
    rank = spatial_rank(where, inputs)
    form = functional.layout(rank, standardize_data_format(data_format))
    channels = inputs.shape[form.channel_axis]
    if kernel.dim() != rank + 2 or kernel.shape[-1] != channels:
        expected = f"a kernel of {rank + 2} axes, the last of size {channels}"
        raise ShapeError(message(where, expected=expected, got=tuple(kernel.shape)))
    window = functional.make_window(
        tuple(kernel.shape[:rank]),
        check_ntuple(where, "strides", strides, rank),
        check_ntuple(where, "dilation_rate", dilation_rate, rank),
        check_one_of(where, "padding", padding, ("valid", "same")),
    )
    extra: tuple[int | None, ...] = (None,) * rank
    if output_padding is not None:
        extra = check_ntuple(where, "output_padding", output_padding, rank, minimum=0)
    plan = functional.transposed_padding(window, extra if rank > 1 else (None, *extra))
    weight = kernel.permute(-1, -2, *range(rank))
    return form.outward(functional.conv_transpose(form.inward(inputs), weight, None, window, plan))


def spatial_rank(where: str, inputs: torch.Tensor) -> int:
    """Return the number of spatial axes, 1 to 3."""
    rank = inputs.dim() - 2
    if rank not in (1, 2, 3):
        raise ShapeError(message(where, expected="inputs of 3 to 5 axes", got=f"shape {tuple(inputs.shape)}"))
    return rank
