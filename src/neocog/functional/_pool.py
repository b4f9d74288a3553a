"""Pooling over 1 to 3 spatial axes on torch's layout (B, C, …); a series is an image of height 1."""

from __future__ import annotations

import torch

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
    """Return the mean of each window; what `"same"` adds is not counted.

    Args:
        x: (B, C, H, W) or (B, C, D, H, W).
        window: its sizes and strides.
        padding: from `pool_padding`.
    """
    if x.dim() == 4:
        outputs = torch.nn.functional.avg_pool2d(
            x, window.kernel, window.strides, padding.kernel, padding.ceil_mode, False
        )
    else:
        # Torch has no bfloat16 kernel for volumes on the CPU.
        work = x.float() if x.dtype in (torch.bfloat16, torch.float16) and x.device.type == "cpu" else x
        outputs = torch.nn.functional.avg_pool3d(
            work, window.kernel, window.strides, padding.kernel, padding.ceil_mode, False
        ).to(x.dtype)
    return outputs if padding.trim is None else _trimmed(outputs, padding.trim)


def _trimmed(outputs: torch.Tensor, trim: tuple[int, ...]) -> torch.Tensor:
    for axis, start in enumerate(trim, start=2):
        if start:
            outputs = outputs.narrow(axis, start, outputs.shape[axis] - start)
    return outputs
