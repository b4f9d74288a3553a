"""Convolutions over 1 to 3 spatial axes on torch's layout (B, C, …); a series is an image of height 1."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

import torch
from torch.nn import functional as F

from neocog.functional._autocast import as_autocast
from neocog.functional._conv_products import as_products
from neocog.functional._padding import ConvPadding, TransposedPadding, Window
from neocog.functional._winograd import winograd

T = TypeVar("T")

# oneDNN's convolution with what follows it in one operation: what torch's own compiler calls.
_HAS_FUSED = hasattr(torch.ops.mkldnn, "_convolution_pointwise")


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
    if _spans_width(x, weight, window, padding, groups):
        return _along_height(x, weight, bias, window, padding)
    if window.lopsided and x.shape[1] == 1:
        turned = ConvPadding(_turn(padding.kernel))
        return conv(x.mT, weight.mT, bias, _turned(window), turned, groups).mT
    if weight.dim() == 5:
        return torch.conv3d(x, weight, bias, window.strides, padding.kernel, window.dilation, groups)
    if weight.dim() == 3:
        weight = weight.unsqueeze(2)
    found = as_products(x, weight, bias, window, padding, groups)
    if found is None:
        found = winograd(x, weight, bias, window, padding, groups)
    if found is not None:
        return found
    return torch.conv2d(x, weight, bias, window.strides, padding.kernel, window.dilation, groups)


def conv_relu(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    window: Window,
    padding: ConvPadding,
    groups: int = 1,
    *,
    ceiling: float | None = None,
) -> torch.Tensor:
    """Return `conv`, rectified: no value below 0, none above `ceiling`; nothing is kept for a gradient.

    Where oneDNN computes the convolution, it rectifies while it writes: one pass over the outputs less.
    """
    x, weight, bias = as_autocast(x, weight, bias)
    if padding.first is not None:
        x, padding = F.pad(x, padding.first), ConvPadding(padding.kernel)
    outputs: torch.Tensor | None
    rectified = torch.relu_ if ceiling is None else partial(torch.clamp_, min=0, max=ceiling)
    if _is_for_onednn(x, weight, window, padding, groups):
        weight = weight.unsqueeze(2) if weight.dim() == 3 else weight
        outputs = as_products(x, weight, bias, window, padding, groups)
        if outputs is None:
            found = winograd(x, weight, bias, window, padding, groups, rectified)
            if found is not None:
                return found
    else:
        outputs = conv(x, weight, bias, window, padding, groups)
    if outputs is not None:
        return rectified(outputs)
    word, numbers = ("relu", []) if ceiling is None else ("hardtanh", [0.0, ceiling])
    spatial = (padding.kernel, window.strides, window.dilation)
    return torch.ops.mkldnn._convolution_pointwise(x, weight, bias, *spatial, groups, word, numbers, "")  # type: ignore[no-any-return]


def _spans_width(
    x: torch.Tensor, weight: torch.Tensor, window: Window, padding: ConvPadding, groups: int
) -> bool:
    """Whether the kernel is as wide as the padded images."""
    spans = weight.dim() == 4 and x.shape[-1] == weight.shape[-1] > 1 and window.dilation[-1] == 1
    return spans and groups == 1 and padding.kernel[-1] == 0


def _is_for_onednn(
    x: torch.Tensor, weight: torch.Tensor, window: Window, padding: ConvPadding, groups: int
) -> bool:
    """Whether torch would give this convolution to oneDNN, in a form that its fused operation takes too."""
    if x.device.type != "cpu" or not _HAS_FUSED or x.dtype is not weight.dtype or x.dim() != 4:
        return False
    if x.dtype not in (torch.float32, torch.bfloat16) or not x.numel():
        return False
    special = window.lopsided or _spans_width(x, weight, window, padding, groups)
    return bool(torch.backends.mkldnn.enabled) and not special


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
