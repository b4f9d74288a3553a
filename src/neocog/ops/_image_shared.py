"""What the operations on images share: one image or a batch, channels in front or last."""

from __future__ import annotations

from typing import Any

import torch

from neocog.core import standardize_data_format
from neocog.exceptions import ArgumentTypeError, ShapeError, message
from neocog.ops._op import as_tensor


def batch_of(where: str, images: Any, data_format: str | None) -> tuple[torch.Tensor, bool, bool]:
    """Return images as (B, C, H, W), whether channels are last, and whether there was no batch axis.

    Args:
        where: how error texts name the operation.
        images: one image of 3 axes, or a batch of 4.
        data_format: `"channels_last"`, `"channels_first"`, or None for the default.
    """
    x = as_tensor(images)
    if x.dim() not in (3, 4):
        expected = "one image of 3 axes or a batch of 4"
        raise ShapeError(message(where, expected=expected, got=f"shape {tuple(x.shape)}"))
    single = x.dim() == 3
    x = x.unsqueeze(0) if single else x
    last = standardize_data_format(data_format) == "channels_last"
    return (x.permute(0, 3, 1, 2) if last else x), last, single


def as_given(x: torch.Tensor, last: bool, single: bool) -> torch.Tensor:
    """Return images (B, C, H, W) in the form that `batch_of` was given."""
    x = x.permute(0, 2, 3, 1) if last else x
    return x.squeeze(0) if single else x


def require_float(where: str, images: torch.Tensor) -> None:
    """Raise ArgumentTypeError where the images are whole numbers."""
    if not images.is_floating_point():
        expected = "images of floats"
        raise ArgumentTypeError(
            message(where, expected=expected, got=images.dtype, do="Cast and scale them.")
        )


def fits_in(values: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return computed floats in the type of the images: whole numbers are rounded and kept in range."""
    if dtype.is_floating_point:
        return values.to(dtype)
    limits = torch.iinfo(dtype)
    return values.round().clamp(limits.min, limits.max).to(dtype)
