"""Sizes of images: cropping and padding to an aspect ratio, resizing. Images are (B, C, H, W) views here."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from neocog.functional._whole_numbers import rounded_to

# Keras's name to torch's: Keras takes the pixel whose centre is nearest.
RESIZE_MODES = {"bilinear": "bilinear", "nearest": "nearest-exact", "bicubic": "bicubic"}


def resize(
    images: torch.Tensor, height: int, width: int, interpolation: str = "bilinear", antialias: bool = False
) -> torch.Tensor:
    """Return the images in another size; integers are interpolated in float32, rounded and kept in range.

    Args:
        images: (B, C, H, W), any strides.
        height: new height.
        width: new width.
        interpolation: `"nearest"`, `"bilinear"` or `"bicubic"`.
        antialias: True averages where images shrink.

    Example:
        >>> resize(torch.tensor([[[[0.0, 4.0]]]]), 1, 4).flatten()
        tensor([0., 1., 3., 4.])
    """
    dtype = images.dtype
    work = images if dtype in (torch.float32, torch.float64) else images.to(torch.float32)
    smooth = interpolation != "nearest"
    outputs = F.interpolate(
        work,
        (height, width),
        mode=RESIZE_MODES[interpolation],
        align_corners=False if smooth else None,
        antialias=antialias and smooth,
    )
    return rounded_to(outputs, dtype)


def crop_to_ratio(images: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return the largest part about the centre with the aspect ratio `width / height`: a view."""
    rows, columns = images.shape[-2:]
    crop_rows = max(min(rows, int(columns * height / width)), 1)
    crop_columns = max(min(columns, int(rows * width / height)), 1)
    top, left = (rows - crop_rows) // 2, (columns - crop_columns) // 2
    return images[..., top : top + crop_rows, left : left + crop_columns]


def pad_to_ratio(images: torch.Tensor, height: int, width: int, fill_value: float = 0.0) -> torch.Tensor:
    """Return the images with borders of `fill_value` that make their aspect ratio `width / height`."""
    rows, columns = images.shape[-2:]
    top = (max(rows, int(columns * height / width)) - rows) // 2
    left = (max(columns, int(rows * width / height)) - columns) // 2
    return F.pad(images, (left, left, top, top), value=fill_value)
