"""Resizing of decoded pixels: torch's antialiased kernel where it does what Pillow does, else Pillow.

Letters: H, W height and width in pixels, C channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from neocog.data._look import FILTERS, Look

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

# The same triangle as Pillow's, to one level in 255, in less than half of its time. Called as `interpolate`
# calls it: the way by `torch.ops` costs a tenth of the resizing of a photograph.
_triangle: Any = torch._C._nn._upsample_bilinear2d_aa


def resize_pixels(pixels: Pixels, look: Look, out: Pixels | None = None) -> Pixels:
    """Return `pixels` (H, W, C) at the size of `look`: stretched, cut in the middle, or padded with black.

    Args:
        pixels: contiguous uint8.
        look: what the result is to look like.
        out: where to put it, (H, W, C) contiguous uint8; None makes an array.
    """
    if look.size is None:
        return pixels
    if look.crop:
        pixels = _middle(pixels, look.size)
    if out is None:
        out = np.empty((*look.size, pixels.shape[2]), np.uint8)
    if pixels.shape == out.shape:
        np.copyto(out, pixels)
    elif look.pad:
        out.fill(0)
        top, left, height, width = _inner(pixels, look.size)
        inner = np.empty((height, width, pixels.shape[2]), np.uint8)
        _stretch(pixels, look.interpolation, inner)
        out[top : top + height, left : left + width] = inner
    else:
        _stretch(pixels, look.interpolation, out)
    return out


def _stretch(pixels: Pixels, interpolation: str, out: Pixels) -> None:
    if interpolation != "bilinear" or pixels.shape[2] == 4:  # Pillow weighs colours by their opacity
        np.copyto(out, _by_pillow(pixels, interpolation, out.shape))
        return
    _triangle(_one_image(pixels), out.shape[:2], False, None, None, out=_one_image(out))


def _one_image(pixels: Pixels) -> torch.Tensor:
    """Return the same memory as (1, C, H, W), channels last; one view takes a quarter of two views' time."""
    height, width, channels = pixels.shape
    strides = (pixels.size, 1, width * channels, channels)
    return torch.from_numpy(pixels).as_strided((1, channels, height, width), strides)


def _by_pillow(pixels: Pixels, interpolation: str, shape: tuple[int, ...]) -> Pixels:
    from PIL import Image

    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    resized = image.resize((shape[1], shape[0]), Image.Resampling[FILTERS[interpolation]])
    return np.asarray(resized).reshape(shape)


def _middle(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Return the largest centred part of the target's shape, by the rule of Keras's `smart_resize`."""
    height, width = pixels.shape[:2]
    box_height = max(min(height, int(width * size[0] / size[1])), 1)
    box_width = max(min(width, int(height * size[1] / size[0])), 1)
    top, left = (height - box_height) // 2, (width - box_width) // 2
    return np.ascontiguousarray(pixels[top : top + box_height, left : left + box_width])


def _inner(pixels: Pixels, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return (top, left, height, width) of a padded picture in its frame."""
    scale = max(pixels.shape[1] / size[1], pixels.shape[0] / size[0])
    width, height = max(int(pixels.shape[1] / scale), 1), max(int(pixels.shape[0] / scale), 1)
    return (size[0] - height) // 2, (size[1] - width) // 2, height, width
