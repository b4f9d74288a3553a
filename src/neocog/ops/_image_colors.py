"""Colours of images: grey, hue, saturation and value."""

from __future__ import annotations

from typing import Any

import torch

from neocog.exceptions import ShapeError, message
from neocog.ops._image_shared import as_given, batch_of, require_float
from neocog.ops._op import op


@op("keras.src.ops.image>RGBToGrayscale", call="images")
def rgb_to_grayscale(images: Any, data_format: str | None = None) -> torch.Tensor:
    """Return 0.2989 R + 0.587 G + 0.114 B as the one channel; images with one channel come back as a copy.

    Args:
        images: one image of 3 axes, or a batch of 4, with 3 channels or 1.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Raises:
        ShapeError: the number of axes or channels is another.

    Example:
        >>> rgb_to_grayscale(torch.ones(2, 4, 4, 3)).shape
        torch.Size([2, 4, 4, 1])
    """
    x, last, single = batch_of("ops.image.rgb_to_grayscale", images, data_format)
    if x.shape[1] not in (1, 3):
        where, expected = "ops.image.rgb_to_grayscale", "3 channels (RGB) or 1"
        raise ShapeError(message(where, expected=expected, got=x.shape[1]))
    if x.shape[1] == 1:
        return as_given(x.clone(), last, single)
    red, green, blue = x.unbind(1)
    gray = (0.2989 * red + 0.587 * green + 0.114 * blue).to(x.dtype)
    return as_given(gray.unsqueeze(1), last, single)


@op("keras.src.ops.image>RGBToHSV", call="images")
def rgb_to_hsv(images: Any, data_format: str | None = None) -> torch.Tensor:
    """Return hue, saturation and value, each in [0, 1], of images with red, green and blue in [0, 1].

    Args:
        images: floats, one image of 3 axes, or a batch of 4, with 3 channels.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> rgb_to_hsv(torch.tensor([[[0.0, 1.0, 0.0]]])).flatten()
        tensor([0.3333, 1.0000, 1.0000])
    """
    x, last, single = batch_of("ops.image.rgb_to_hsv", images, data_format)
    require_float("ops.image.rgb_to_hsv", x)
    x = torch.where(x.abs() < torch.finfo(x.dtype).eps, 0.0, x)
    red, green, blue = x.unbind(1)
    value, spread = x.amax(1), x.amax(1) - x.amin(1)
    saturation = torch.where(value > 0, spread / torch.where(value > 0, value, 1.0), 0.0)
    scale = 1.0 / (6.0 * torch.where(spread > 0, spread, 1.0))
    hue = torch.where(value == green, scale * (blue - red) + 2 / 6, scale * (red - green) + 4 / 6)
    hue = torch.where(value == red, scale * (green - blue), hue)
    hue = torch.where(spread > 0, hue, 0.0) + (hue < 0).to(hue.dtype)
    return as_given(torch.stack([hue, saturation, value], dim=1), last, single)


@op("keras.src.ops.image>HSVToRGB", call="images")
def hsv_to_rgb(images: Any, data_format: str | None = None) -> torch.Tensor:
    """Return red, green and blue in [0, 1] of images with hue, saturation and value in [0, 1].

    Args:
        images: floats, one image of 3 axes, or a batch of 4, with 3 channels.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> hsv_to_rgb(torch.tensor([[[0.0, 1.0, 0.5]]])).flatten()
        tensor([0.5000, 0.0000, 0.0000])
    """
    x, last, single = batch_of("ops.image.hsv_to_rgb", images, data_format)
    require_float("ops.image.hsv_to_rgb", x)
    hue, saturation, value = x.unbind(1)
    sixth = hue.remainder(1.0) * 6.0
    pure = [(sixth - 3.0).abs() - 1.0, 2.0 - (sixth - 2.0).abs(), 2.0 - (sixth - 4.0).abs()]
    colors = [value * (1.0 - saturation + saturation * color.clamp(0.0, 1.0)) for color in pure]
    return as_given(torch.stack(colors, dim=1), last, single)
