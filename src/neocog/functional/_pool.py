"""Pooling over 1 to 3 spatial axes on torch's layout (B, C, …); a series is an image of height 1."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from neocog.functional._padding import PoolPadding, Window


def max_pool(x: torch.Tensor, window: Window, padding: PoolPadding) -> torch.Tensor:
    """Return the maximum of each window; what `"same"` adds never wins.

    Args:
        x: (B, C, H, W) or (B, C, D, H, W).
        window: its sizes and strides.
        padding: from `pool_padding`.
    """
    function = torch.max_pool2d if x.dim() == 4 else torch.max_pool3d
    outputs = function(x, window.kernel, window.strides, padding.kernel, 1, padding.ceil_mode)
    return outputs if padding.trim is None else _trimmed(outputs, padding.trim)


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
