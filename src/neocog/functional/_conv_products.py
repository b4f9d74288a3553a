"""Convolutions of many channels at few places, as products of matrices, where that is faster on a CPU.

oneDNN divides the work by places and blocks of channels. At the deep end of a network, where images have
become 8 by 8 or smaller, most of a block is empty: the weights' gradient of 512 channels at 4 by 4 places
took 5 times as long as the product of two matrices that it is (bfloat16 on AMX; 1.5 times in float32).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import torch
from torch.nn import functional as F

from neocog.functional._autocast import as_autocast, runs_now
from neocog.functional._conv_gradients import Gradients, takes_gradients, torch_gradients
from neocog.functional._conv_ways import conv_ways
from neocog.functional._padding import ConvPadding, Window, places

_FEW_CHANNELS = 64
_MANY_CHANNELS = 128


def as_products(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    window: Window,
    padding: ConvPadding,
    groups: int = 1,
) -> torch.Tensor | None:
    """Return the convolution by matrix products, or with its weights' gradient by one; None where neither
    pays.

    Args:
        x: (B, C, H, W), channels_last in memory.
        weight: (filters, C, height, width).
        bias: (filters,), or None.
        window: strides and dilation.
        padding: from `conv_padding`; `first` is done.
        groups: number of independent parts that the channels are split into.
    """
    if weight.shape[1] < _FEW_CHANNELS or groups != 1 or weight.dim() != 4:
        return None
    if x.device.type != "cpu" or not runs_now(x):
        return None
    ways, count = conv_ways(), math.prod(places(x.shape[2:], window, padding))
    if not 0 < count <= _most_places() or not len(x):
        return None
    x, weight, bias = as_autocast(x, weight, bias)
    learns = takes_gradients(x, weight, bias)
    small, large = ways.whole.get(x.dtype, (0, 0))
    if count <= (small if window.kernel == (1, 1) else large):
        if learns:
            return _Products.apply(x, weight, bias, window, padding, True)  # type: ignore[no-any-return, no-untyped-call]
        return _outputs(x, weight, bias, window, padding)
    many = min(weight.shape[:2]) >= _MANY_CHANNELS
    if many and learns and weight.requires_grad and count <= ways.weights.get(x.dtype, 0):
        return _Products.apply(x, weight, bias, window, padding, False)  # type: ignore[no-any-return, no-untyped-call]
    return None


@lru_cache
def _most_places() -> int:
    """The most places at which any of this pays: most convolutions are told apart by this alone."""
    ways = conv_ways()
    return max([*ways.weights.values(), *(places for pair in ways.whole.values() for places in pair)])


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        window: Window,
        padding: ConvPadding,
        whole: bool,
    ) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        ctx.window, ctx.padding, ctx.whole, ctx.biased = window, padding, whole, bias is not None
        if whole:
            return _outputs(x, weight, bias, window, padding)
        return torch.conv2d(x, weight, bias, window.strides, padding.kernel, window.dilation)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Gradients:
        x, weight = ctx.saved_tensors
        (gradient,) = gradients
        wanted = list(ctx.needs_input_grad[:3])
        if torch.is_grad_enabled():  # gradients of gradients: by torch's own, which it can derive
            return *_by_torch(ctx, gradient, x, weight, wanted), None, None, None
        to_x = to_weight = to_bias = None
        rows = gradient.permute(0, 2, 3, 1).reshape(-1, len(weight))
        if wanted[0]:
            if ctx.whole:
                to_x = _to_inputs(rows, x, weight, ctx.window, ctx.padding)
            else:
                to_x = _by_torch(ctx, gradient, x, weight, [True, False, False])[0]
        if wanted[1]:
            product = rows.t() @ _patches(x, weight, ctx.window, ctx.padding)
            to_weight = product.view(len(weight), *weight.shape[2:], weight.shape[1]).permute(0, 3, 1, 2)
        if wanted[2] and ctx.biased:
            to_bias = rows.sum(0, dtype=torch.float32).to(rows.dtype)
        return to_x, to_weight, to_bias, None, None, None


def _by_torch(
    ctx: Any, gradient: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, wanted: list[bool]
) -> Gradients:
    window, wanted = ctx.window, [*wanted[:2], wanted[2] and ctx.biased]
    spatial = (window.strides, ctx.padding.kernel, window.dilation)
    return torch_gradients(gradient, x, weight, *spatial, wanted)


def _outputs(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, window: Window, padding: ConvPadding
) -> torch.Tensor:
    kernel = weight.permute(0, 2, 3, 1).reshape(len(weight), -1).t()
    patches = _patches(x, weight, window, padding)
    shape = (len(x), len(weight), *places(x.shape[2:], window, padding))
    # Made here and filled, so that it is no view of something: rectifiers write over it.
    found = torch.empty(shape, dtype=x.dtype, memory_format=torch.channels_last)
    rows = found.permute(0, 2, 3, 1).view(-1, len(weight))
    if bias is None:
        torch.mm(patches, kernel, out=rows)
    else:
        torch.addmm(bias, patches, kernel, out=rows)
    return found


def _patches(x: torch.Tensor, weight: torch.Tensor, window: Window, padding: ConvPadding) -> torch.Tensor:
    """Return what each window sees, (B · places, height · width · C)."""
    (high, wide), channels = window.kernel, weight.shape[1]
    rows, columns = places(x.shape[2:], window, padding)
    top, left = padding.kernel
    x = x.permute(0, 2, 3, 1)
    if top or left:
        x = F.pad(x, (0, 0, left, left, top, top))
    if (high, wide) == (1, 1) and window.strides == (1, 1):
        return x.reshape(-1, channels)
    x = x.contiguous()
    batch, down, right, _ = x.stride()
    (s, t), (d, e) = window.strides, window.dilation
    shape = (len(x), rows, columns, high, wide, channels)
    seen = x.as_strided(shape, (batch, s * down, t * right, d * down, e * right, 1))
    return seen.reshape(-1, high * wide * channels)


def _to_inputs(
    rows: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, window: Window, padding: ConvPadding
) -> torch.Tensor:
    """Return the gradient to the inputs: each window's share, added up in float32."""
    (high, wide), channels = window.kernel, weight.shape[1]
    down, right = places(x.shape[2:], window, padding)
    (s, t), (d, e), (top, left) = window.strides, window.dilation, padding.kernel
    shares = rows @ weight.permute(0, 2, 3, 1).reshape(len(weight), -1)
    if (high, wide) == (1, 1) and window.strides == (1, 1) and not (top or left):
        return shares.view(len(x), *x.shape[2:], channels).permute(0, 3, 1, 2)
    parts = shares.view(len(x), down, right, high, wide, channels)
    height, width = x.shape[2] + 2 * top, x.shape[3] + 2 * left
    total = torch.zeros((len(x), height, width, channels), dtype=torch.float32)
    for i in range(high):
        for j in range(wide):
            first, second = i * d, j * e
            seen = total[:, first : first + (down - 1) * s + 1 : s, second : second + (right - 1) * t + 1 : t]
            seen += parts[:, :, :, i, j]
    inner = total[:, top : height - top, left : width - left]
    return inner.to(x.dtype).permute(0, 3, 1, 2)
