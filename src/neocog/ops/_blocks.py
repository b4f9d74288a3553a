"""Operations between images and their blocks, and complex numbers from their parts."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from neocog.core import check_int, check_one_of
from neocog.exceptions import ShapeError, message
from neocog.ops._op import as_tensor, op, together
from neocog.ops._shared import same_float

_LAYOUTS = ("channels_last", "channels_first")


@op("keras.src.ops.nn>Unfold")
def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> torch.Tensor:
    """Return the blocks that a sliding window sees, one a column.

    Args:
        x: images, (batch, channels, height, width).
        kernel_size: size of the window, one number or two.
        dilation: distance between its taps, likewise.
        padding: zeros added on both sides, likewise.
        stride: steps between windows, likewise.

    Shapes:
        (batch, channels · kernel size, windows).

    Example:
        >>> unfold(torch.ones(1, 2, 4, 4), 2).shape
        torch.Size([1, 8, 9])
    """
    return F.unfold(as_tensor(x), kernel_size, dilation=dilation, padding=padding, stride=stride)


@op("keras.src.ops.nn>Fold")
def fold(
    x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> torch.Tensor:
    """Return images from the blocks of a sliding window, added where they overlap.

    Args:
        x: blocks, (batch, channels · kernel size, windows).
        output_size: height and width of the images.
        kernel_size: size of the window, one number or two.
        dilation: distance between its taps, likewise.
        padding: zeros that were added on both sides, likewise.
        stride: steps between windows, likewise.

    Shapes:
        (batch, channels, height, width).

    Example:
        >>> fold(torch.ones(1, 8, 9), (4, 4), 2).shape
        torch.Size([1, 2, 4, 4])
    """
    return F.fold(as_tensor(x), output_size, kernel_size, dilation=dilation, padding=padding, stride=stride)


@op("keras.src.ops.nn>DepthToSpace")
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> torch.Tensor:
    """Return larger images with fewer channels: each pixel's channels become a block of pixels.

    Args:
        x: (batch, height, width, channels); channels in front with `"channels_first"`.
        block_size: side of the blocks; its square divides the channels.
        data_format: `"channels_last"` or `"channels_first"`.

    Example:
        >>> depth_to_space(torch.ones(1, 2, 2, 8), 2).shape
        torch.Size([1, 4, 4, 2])
    """
    images, side, last = _images("ops.depth_to_space", x, block_size, data_format)
    batch, height, width, channels = images.shape
    if channels % side**2:
        expected = f"channels that are a multiple of {side**2}"
        raise ShapeError(message("ops.depth_to_space", expected=expected, got=channels))
    parts = images.reshape(batch, height, width, *_split(last, side, channels // side**2))
    order = (0, 1, 3, 2, 4, 5) if last else (0, 1, 4, 2, 5, 3)
    outputs = parts.permute(order).reshape(batch, height * side, width * side, channels // side**2)
    return outputs if last else outputs.movedim(-1, 1)


@op("keras.src.ops.nn>SpaceToDepth")
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> torch.Tensor:
    """Return smaller images with more channels: each block of pixels becomes one pixel's channels.

    Args:
        x: (batch, height, width, channels); channels in front with `"channels_first"`.
        block_size: side of the blocks; it divides height and width.
        data_format: `"channels_last"` or `"channels_first"`.

    Example:
        >>> space_to_depth(torch.ones(1, 4, 4, 2), 2).shape
        torch.Size([1, 2, 2, 8])
    """
    images, side, last = _images("ops.space_to_depth", x, block_size, data_format)
    batch, height, width, channels = images.shape
    if height % side or width % side:
        expected = f"height and width that are multiples of {side}"
        raise ShapeError(message("ops.space_to_depth", expected=expected, got=(height, width)))
    parts = images.reshape(batch, height // side, side, width // side, side, channels)
    order = (0, 1, 3, 2, 4, 5) if last else (0, 1, 3, 5, 2, 4)
    outputs = parts.permute(order).reshape(batch, height // side, width // side, channels * side**2)
    return outputs if last else outputs.movedim(-1, 1)


def _images(where: str, x: Any, block_size: int, data_format: str) -> tuple[torch.Tensor, int, bool]:
    x = as_tensor(x)
    if x.dim() != 4:
        raise ShapeError(message(where, expected="images of 4 axes", got=tuple(x.shape)))
    side = check_int(where, "block_size", block_size, minimum=1)
    last = check_one_of(where, "data_format", data_format, _LAYOUTS) == "channels_last"
    return (x if last else x.movedim(1, -1)), side, last


def _split(last: bool, side: int, channels: int) -> tuple[int, int, int]:
    """How a block makes a pixel's channels: TensorFlow's order with channels last, torch's otherwise."""
    return (side, side, channels) if last else (channels, side, side)


@op("keras.src.ops.nn>Polar", call="abs_ angle")
def polar(abs_: Any, angle: Any) -> torch.Tensor:
    """Return complex numbers from lengths and angles, abs · (cos angle + i sin angle).

    Args:
        abs_: lengths.
        angle: angles in radians.

    Example:
        >>> polar(torch.tensor([2.0]), torch.tensor([0.0]))
        tensor([2.+0.j])
    """
    abs_, angle = same_float(*together(abs_, angle))
    return torch.complex(abs_ * torch.cos(angle), abs_ * torch.sin(angle))
