"""Images and volumes cut into patches."""

from __future__ import annotations

import math
from typing import Any

import torch

from neocog.core import check_ntuple, standardize_data_format
from neocog.exceptions import ShapeError, message
from neocog.ops._conv import conv
from neocog.ops._image_shared import fits_in
from neocog.ops._op import as_tensor, op
from neocog.ops._shared import as_float


@op("keras.src.ops.image>ExtractPatches", call="images")
def extract_patches(
    images: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> torch.Tensor:
    """Return patches of images (or of volumes, where `size` has three numbers), their pixels as channels.

    Args:
        images: one image of 3 axes, or a batch of 4; one more for volumes.
        size: size of the patches: one number, two, or three.
        strides: steps between patches, likewise; None for `size`.
        dilation_rate: distance between the pixels of a patch, likewise.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> extract_patches(torch.ones(2, 8, 8, 3), 4).shape
        torch.Size([2, 2, 2, 48])
    """
    where = "ops.image.extract_patches"
    rank = 3 if isinstance(size, (tuple, list)) and len(size) == 3 else 2
    sizes = check_ntuple(where, "size", size, rank)
    x = as_tensor(images)
    if x.dim() not in (rank + 1, rank + 2):
        expected = f"{rank + 1} or {rank + 2} axes"
        raise ShapeError(message(where, expected=expected, got=f"shape {tuple(x.shape)}"))
    single = x.dim() == rank + 1
    x = x.unsqueeze(0) if single else x
    channels = x.shape[-1 if standardize_data_format(data_format) == "channels_last" else 1]
    depth = math.prod(sizes) * channels
    kernel = torch.eye(depth, dtype=as_float(x).dtype, device=x.device).reshape(*sizes, channels, depth)
    steps = sizes if strides is None else strides
    patches = fits_in(conv(as_float(x), kernel, steps, padding, data_format, dilation_rate), x.dtype)
    return patches.squeeze(0) if single else patches


@op()
def extract_patches_3d(
    volumes: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> torch.Tensor:
    """Return patches of volumes, their voxels as channels.

    Args:
        volumes: one volume of 4 axes, or a batch of 5.
        size: size of the patches: one number or three.
        strides: steps between patches, likewise; None for `size`.
        dilation_rate: distance between the voxels of a patch, likewise.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> extract_patches_3d(torch.ones(1, 4, 4, 4, 1), 2).shape
        torch.Size([1, 2, 2, 2, 8])
    """
    sizes = check_ntuple("ops.image.extract_patches_3d", "size", size, 3)
    return extract_patches(volumes, sizes, strides, dilation_rate, padding, data_format)
