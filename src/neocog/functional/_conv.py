"""Convolutions over 1 to 3 spatial axes on torch's layout (B, C, …); a series is an image of height 1."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch.nn import functional as F

from neocog.functional._padding import ConvPadding, TransposedPadding, Window

T = TypeVar("T")


def conv(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    window: Window,
    padding: ConvPadding,
    groups: int = 1,
) -> torch.Tensor:
    """Return the cross-correlation of `x` with `weight`.

    Args:
        x: (B, C, H, W) or (B, C, D, H, W), channels_last in memory for speed.
        weight: (filters, C / groups, …); a kernel for series may lack its axis of size 1.
        bias: (filters,), or None.
        window: strides and dilation.
        padding: from `conv_padding`.
        groups: number of independent parts that the channels are split into.
    """
    if padding.first is not None:
        x = F.pad(x, padding.first)
    spans = weight.dim() == 4 and x.shape[-1] == weight.shape[-1] > 1 and window.dilation[-1] == 1
    if spans and groups == 1 and padding.kernel[-1] == 0:
        return _along_height(x, weight, bias, window, padding)
    if window.lopsided and x.shape[1] == 1:
        turned = ConvPadding(_turn(padding.kernel))
        return conv(x.mT, weight.mT, bias, _turned(window), turned, groups).mT
    if weight.dim() == 5:
        return torch.conv3d(x, weight, bias, window.strides, padding.kernel, window.dilation, groups)
    if weight.dim() == 3:
        weight = weight.unsqueeze(2)
    return torch.conv2d(x, weight, bias, window.strides, padding.kernel, window.dilation, groups)


def _along_height(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, window: Window, padding: ConvPadding
) -> torch.Tensor:
    """Convolve where the kernel spans the width (word windows: all of the embedding): a series of rows.

    Rows of W · C values are a view of channels_last memory. As an image of one channel it is 20 times slower
    on a CPU (oneDNN 3.12).
    """
    rows = x.permute(0, 2, 3, 1).flatten(2)  # (B, H, W * C)
    kernel = weight.permute(0, 3, 1, 2).flatten(1, 2)  # (filters, W * C, kernel height)
    series = Window((1, window.kernel[0]), (1, window.strides[0]), (1, window.dilation[0]))
    found = conv(rows.mT.unsqueeze(2), kernel, bias, series, ConvPadding((0, padding.kernel[0])))
    return found.mT  # (B, filters, H, 1)


def conv_transpose(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    window: Window,
    padding: TransposedPadding,
) -> torch.Tensor:
    """Return the transposed convolution of `x` with `weight`: the gradient of a convolution to its input.

    Args:
        x: (B, C, H, W) or (B, C, D, H, W), channels_last in memory for speed.
        weight: (C, filters, …); a kernel for series may lack its axis of size 1.
        bias: (filters,), or None.
        window: strides and dilation.
        padding: from `transposed_padding`.
    """
    if window.lopsided and weight.shape[1] == 1:
        turned = TransposedPadding(
            _turn(padding.kernel), _turn(padding.output_padding), padding.trim and _turn(padding.trim)
        )
        return conv_transpose(x.mT, weight.mT, bias, _turned(window), turned).mT
    if weight.dim() == 3:
        weight = weight.unsqueeze(2)
    function = torch.conv_transpose3d if weight.dim() == 5 else torch.conv_transpose2d
    outputs = function(
        x, weight, bias, window.strides, padding.kernel, padding.output_padding, 1, window.dilation
    )
    if padding.trim is None:
        return outputs
    for axis, (start, end) in enumerate(padding.trim, start=2):
        if start or end:
            outputs = outputs.narrow(axis, start, outputs.shape[axis] - start - end)
    return outputs


# oneDNN 3.12 (torch 2.13) convolves wrongly where a single channel lies in channels_last memory, only the
# last axis has strides and gives a single result. With height and width exchanged it is right, also backward.
def _turned(window: Window) -> Window:
    return Window(_turn(window.kernel), _turn(window.strides), _turn(window.dilation))


def _turn(values: tuple[T, ...]) -> tuple[T, ...]:
    return (*values[:-2], values[-1], values[-2])
