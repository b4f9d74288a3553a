"""Filters by normal distributions, another width for each image."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def planes(images: torch.Tensor) -> torch.Tensor:
    """Return images (B, H, W, C) as (B, C, H, W)."""
    if images.shape[-1] > 1:
        return images.permute(0, 3, 1, 2)
    # oneDNN 3.12 (torch 2.13) convolves wrongly where a single channel lies in channels_last memory
    return images.contiguous().reshape(len(images), 1, *images.shape[1:3])


def bells(size: int, widths: torch.Tensor, sides: torch.Tensor | None = None) -> torch.Tensor:
    """Return `size` weights of a normal distribution with sum 1 for each standard deviation: (B, size).

    Args:
        size: number of weights, odd.
        widths: standard deviations in pixels, (B,).
        sides: how many weights in the middle count, (B,), odd; all by default.
    """
    places = torch.arange(size, dtype=widths.dtype, device=widths.device) - (size - 1) / 2
    weights = torch.exp(-0.5 * (places / widths[:, None]) ** 2)
    if sides is not None:
        weights = weights * (places.abs() <= (sides[:, None] - 1) / 2)
    return weights / weights.sum(1, keepdim=True)


def filtered(x: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Return images (B, C, H, W) filtered along height by `rows` and along width by `columns`.

    Zeros lie outside. Each image has its own weights, (B, size), as a group of one convolution for each axis.
    """
    batch, channels, height, width = x.shape
    down = rows.repeat_interleave(channels, 0)[:, None, :, None]
    across = columns.repeat_interleave(channels, 0)[:, None, None, :]
    flat = x.contiguous().view(1, batch * channels, height, width)
    flat = F.conv2d(flat, down, padding=(rows.shape[1] // 2, 0), groups=batch * channels)
    flat = F.conv2d(flat, across, padding=(0, columns.shape[1] // 2), groups=batch * channels)
    return flat.reshape(x.shape)
