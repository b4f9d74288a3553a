"""Filters of images: blur, edges, structural similarity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional as F

from neocog.core import check_int, check_ntuple
from neocog.exceptions import ShapeError, message
from neocog.ops._image_shared import as_given, batch_of, fits_in
from neocog.ops._op import op
from neocog.ops._shared import as_float, same_float


def _bell(size: int, sigma: float, like: torch.Tensor) -> torch.Tensor:
    """Return `size` weights of a normal distribution, with sum 1."""
    places = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2
    weights = torch.exp(-0.5 * (places / sigma) ** 2)
    return weights / weights.sum()


def _filtered(
    x: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor, padding: Sequence[int]
) -> torch.Tensor:
    """Return images (B, C, H, W) filtered by the product of two vectors: two passes cost less than one."""
    channels = x.shape[1]
    x = F.conv2d(
        x, rows.view(1, 1, -1, 1).expand(channels, 1, -1, 1), padding=(padding[0], 0), groups=channels
    )
    return F.conv2d(
        x, columns.view(1, 1, 1, -1).expand(channels, 1, 1, -1), padding=(0, padding[1]), groups=channels
    )


@op("keras.src.ops.image>GaussianBlur", call="images")
def gaussian_blur(
    images: Any,
    kernel_size: Any = (3, 3),
    sigma: Any = (1.0, 1.0),
    data_format: str | None = None,
) -> torch.Tensor:
    """Return images blurred by a normal distribution; zeros lie outside.

    Args:
        images: one image of 3 axes, or a batch of 4.
        kernel_size: width and height of the window, odd.
        sigma: standard deviations in pixels, along the width and the height.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> gaussian_blur(torch.ones(2, 8, 8, 3), (3, 3), (1.0, 1.0)).shape
        torch.Size([2, 8, 8, 3])
    """
    where = "ops.image.gaussian_blur"
    width, height = check_ntuple(where, "kernel_size", kernel_size, 2)
    spreads = (sigma, sigma) if isinstance(sigma, (int, float)) else tuple(float(value) for value in sigma)
    x, last, single = batch_of(where, images, data_format)
    work = as_float(x)
    rows, columns = _bell(height, spreads[1], work), _bell(width, spreads[0], work)
    return as_given(fits_in(_filtered(work, rows, columns, (height // 2, width // 2)), x.dtype), last, single)


@op("keras.src.ops.image>SobelEdges", call="images")
def sobel_edges(images: Any, data_format: str | None = None) -> torch.Tensor:
    """Return the differences of brightness along height and width, by Sobel's filters.

    Args:
        images: (batch, height, width, channels); channels in front with `"channels_first"`.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Shapes:
        That of the images with one more axis of size 2: along height, along width.

    Example:
        >>> sobel_edges(torch.ones(2, 8, 8, 3)).shape
        torch.Size([2, 8, 8, 3, 2])
    """
    x, last, single = batch_of("ops.image.sobel_edges", images, data_format)
    work = as_float(x)
    step, smooth = work.new_tensor([-1.0, 0.0, 1.0]), work.new_tensor([1.0, 2.0, 1.0])
    pairs = [_filtered(work, step, smooth, (1, 1)), _filtered(work, smooth, step, (1, 1))]
    return torch.stack([as_given(fits_in(edges, x.dtype), last, single) for edges in pairs], dim=-1)


@op("keras.src.ops.image>SSIM", call="image1 image2")
def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> torch.Tensor:
    """Return the structural similarity of images, 1 for equal ones.

    Args:
        image1: one image of 3 axes, or a batch of 4.
        image2: the other, of the same shape.
        max_val: largest possible value, such as 1 or 255.
        filter_size: side of the window.
        filter_sigma: standard deviation of the window's weights, in pixels.
        k1: keeps the means' ratio from 0/0.
        k2: keeps the deviations' ratio from 0/0.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Raises:
        ShapeError: the shapes differ.

    Example:
        >>> ssim(torch.ones(16, 16, 1), torch.ones(16, 16, 1))
        tensor(1.)

    Reference:
        Wang et al., Image Quality Assessment: From Error Visibility to Structural Similarity, 2004.
    """
    size = check_int("ops.image.ssim", "filter_size", filter_size, minimum=1)
    first, _, single = batch_of("ops.image.ssim", image1, data_format)
    second, _, _ = batch_of("ops.image.ssim", image2, data_format)
    dtype = first.dtype
    if first.shape != second.shape:
        expected = f"two images of one shape, {tuple(first.shape)}"
        raise ShapeError(message("ops.image.ssim", expected=expected, got=tuple(second.shape)))
    first, second = same_float(as_float(first), as_float(second))
    bell = _bell(size, filter_sigma, first)
    maps = torch.cat([first, second, first * first, second * second, first * second], dim=1)
    mean1, mean2, square1, square2, product = _filtered(maps, bell, bell, (0, 0)).chunk(5, dim=1)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    above = (2 * mean1 * mean2 + c1) * (2 * (product - mean1 * mean2) + c2)
    below = (mean1**2 + mean2**2 + c1) * (square1 - mean1**2 + square2 - mean2**2 + c2)
    values = (above / below).mean(dim=(1, 2, 3)).to(dtype)
    return values.squeeze(0) if single else values
