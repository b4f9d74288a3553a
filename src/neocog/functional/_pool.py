"""Pooling over 1 to 3 spatial axes on torch's layout (B, C, …); a series is an image of height 1."""

from __future__ import annotations

import math
from itertools import product

import torch
from torch.nn import functional as F

from neocog.functional._autocast import runs_now
from neocog.functional._padding import PoolPadding, Window, places

# Torch's kernel writes the place of each maximum too, in eight bytes, whether or not a gradient is taken:
# windows of so few values are pooled 2 to 5 times faster by looking at one of them at a time.
_FEW_VALUES = 4


def max_pool(x: torch.Tensor, window: Window, padding: PoolPadding) -> torch.Tensor:
    """Return the maximum of each window; what `"same"` adds never wins.

    Args:
        x: (B, C, H, W) or (B, C, D, H, W).
        window: its sizes and strides.
        padding: from `pool_padding`.
    """
    if _by_values(x, window, padding):
        return _largest(x, window, padding)
    function = torch.max_pool2d if x.dim() == 4 else torch.max_pool3d
    outputs = function(x, window.kernel, window.strides, padding.kernel, 1, padding.ceil_mode)
    return outputs if padding.trim is None else _trimmed(outputs, padding.trim)


def _by_values(x: torch.Tensor, window: Window, padding: PoolPadding) -> bool:
    if x.device.type != "cpu" or not 1 < math.prod(window.kernel) <= _FEW_VALUES or any(padding.kernel):
        return False
    if padding.trim is not None or (torch.is_grad_enabled() and x.requires_grad) or not runs_now(x):
        return False
    sizes = list(zip(x.shape[2:], window.kernel, window.strides, strict=True))
    whole = not padding.ceil_mode or all((size - k) % s == 0 for size, k, s in sizes)
    return whole and all(size >= k for size, k, _ in sizes)


def _largest(x: torch.Tensor, window: Window, padding: PoolPadding) -> torch.Tensor:
    """Return the maximum of the first value of each window, of the second, and so on."""
    sizes = places(x.shape[2:], window, padding)
    each = []
    for offsets in product(*map(range, window.kernel)):
        spans = zip(offsets, sizes, window.strides, strict=True)
        index = [slice(at, at + (count - 1) * step + 1, step) for at, count, step in spans]
        each.append(x[(slice(None), slice(None), *index)])
    largest = torch.maximum(each[0], each[1])
    for values in each[2:]:
        torch.maximum(largest, values, out=largest)  # the images that are pooled are in memory too
    return largest


def average_pool(x: torch.Tensor, window: Window, padding: PoolPadding) -> torch.Tensor:
    """Return the mean of each window.

    Args:
        x: (B, C, H, W) or (B, C, D, H, W).
        window: its sizes and strides.
        padding: from `average_padding`.
    """
    if padding.copied is not None:
        x = F.pad(x, padding.copied, mode="replicate")
    if x.dim() == 4:
        return F.avg_pool2d(x, window.kernel, window.strides, padding.kernel, False, False)
    return _average_volumes(x, window, padding)


def _average_volumes(x: torch.Tensor, window: Window, padding: PoolPadding) -> torch.Tensor:
    """Average height and width, then depth, both as images.

    The mean of a box is the mean of its rows' means. Torch's own kernel for volumes leaves channels_last,
    lacks bfloat16 and refuses windows larger than the input.
    """
    batch, channels, depth, _, _ = x.shape
    (k, *kernel), (s, *strides), (p, *pads) = window.kernel, window.strides, padding.kernel
    slices = x.transpose(1, 2).flatten(0, 1)  # (B·D, C, H, W)
    slices = F.avg_pool2d(slices, kernel, strides, pads, False, False)
    height, width = slices.shape[2:]
    volumes = slices.reshape(batch, depth, channels, height, width)
    columns = volumes.transpose(1, 2).flatten(3)  # (B, C, D, H'·W')
    columns = F.avg_pool2d(columns, (k, 1), (s, 1), (p, 0), False, False)
    return columns.reshape(batch, channels, columns.shape[2], height, width)


def _trimmed(outputs: torch.Tensor, trim: tuple[int, ...]) -> torch.Tensor:
    for axis, start in enumerate(trim, start=2):
        if start:
            outputs = outputs.narrow(axis, start, outputs.shape[axis] - start)
    return outputs
