"""Sizes of images: resized, padded, cropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from neocog import functional
from neocog.core import check_int, check_ntuple, check_one_of
from neocog.exceptions import ArgumentError, message
from neocog.ops._image_scale import moved
from neocog.ops._image_shared import as_given, batch_of
from neocog.ops._op import op


@op("keras.src.ops.image>Resize", call="images")
def resize(
    images: Any,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> torch.Tensor:
    """Return images in another size; whole numbers are rounded and kept in range.

    Args:
        images: one image of 3 axes, or a batch of 4.
        size: new height and width.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos3"` or `"lanczos5"`.
        antialias: True averages where images shrink.
        crop_to_aspect_ratio: whether to cut the images to the new aspect ratio first.
        pad_to_aspect_ratio: whether to pad them to it instead.
        fill_mode: only `"constant"`.
        fill_value: value of the padding.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Example:
        >>> resize(torch.ones(2, 4, 4, 3), (2, 6)).shape
        torch.Size([2, 2, 6, 3])
    """
    where = "ops.image.resize"
    kinds = (*functional.RESIZE_MODES, "lanczos3", "lanczos5")
    interpolation = check_one_of(where, "interpolation", interpolation, kinds)
    check_one_of(where, "fill_mode", fill_mode, ("constant",))
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        expected = "crop_to_aspect_ratio or pad_to_aspect_ratio"
        raise ArgumentError(message(where, expected=expected, got="both"))
    height, width = check_ntuple(where, "size", size, 2)
    x, last, single = batch_of(where, images, data_format)
    if crop_to_aspect_ratio:
        x = functional.crop_to_ratio(x, height, width)
    elif pad_to_aspect_ratio:
        x = functional.pad_to_ratio(x, height, width, fill_value)
    if interpolation.startswith("lanczos"):
        scale = [height / x.shape[2], width / x.shape[3]]
        like = torch.zeros(2, device=x.device)
        outputs = moved(x, {2: height, 3: width}, like.new_tensor(scale), like, interpolation, antialias)
        return as_given(outputs, last, single)
    return as_given(functional.resize(x, height, width, interpolation, antialias), last, single)


@op("keras.src.ops.image>PadImages", call="images")
def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> torch.Tensor:
    """Return images with borders of zeros; along each axis two of the three sizes are given.

    Args:
        images: one image of 3 axes, or a batch of 4.
        top_padding: rows added above.
        left_padding: columns added on the left.
        bottom_padding: rows added below.
        right_padding: columns added on the right.
        target_height: new height.
        target_width: new width.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Raises:
        ArgumentError: an axis has not two of its three sizes, or a border would be negative.

    Example:
        >>> pad_images(torch.ones(4, 4, 3), 1, 2, target_height=6, target_width=8).shape
        torch.Size([6, 8, 3])
    """
    where = "ops.image.pad_images"
    x, last, single = batch_of(where, images, data_format)
    rows = _two_of_three(
        where, top_padding=top_padding, bottom_padding=bottom_padding, target_height=target_height
    )
    columns = _two_of_three(
        where, left_padding=left_padding, right_padding=right_padding, target_width=target_width
    )
    (top, bottom), (left, right) = _borders(where, rows, x.shape[2]), _borders(where, columns, x.shape[3])
    return as_given(torch.nn.functional.pad(x, (left, right, top, bottom)), last, single)


def _two_of_three(where: str, **given: int | None) -> dict[str, int | None]:
    """Return the three sizes of an axis, checked: exactly one of them is None."""
    told = {name: check_int(where, name, value) for name, value in given.items() if value is not None}
    if len(told) != 2:
        expected = f"exactly two of {', '.join(given)}"
        raise ArgumentError(message(where, expected=expected, got=list(told) or "none"))
    return {**given, **told}


def _borders(where: str, axis: dict[str, int | None], size: int) -> tuple[int, int]:
    before, after, total = axis.values()
    if before is None:
        before = (total or 0) - (after or 0) - size
    elif after is None:
        after = (total or 0) - before - size
    if before < 0 or (after or 0) < 0:
        expected = "borders of 0 or more"
        raise ArgumentError(
            message(where, expected=expected, got=f"{before} and {after} ({', '.join(axis)})")
        )
    return before, after or 0


@op("keras.src.ops.image>CropImages", call="images")
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> torch.Tensor:
    """Return images without their borders; along each axis two of the three sizes are given.

    Args:
        images: one image of 3 axes, or a batch of 4.
        top_cropping: rows left out above.
        left_cropping: columns left out on the left.
        bottom_cropping: rows left out below.
        right_cropping: columns left out on the right.
        target_height: new height.
        target_width: new width.
        data_format: `"channels_last"` or `"channels_first"`; the default is `image_data_format()`.

    Raises:
        ArgumentError: an axis has not two of its three sizes, or a border would be negative.

    Example:
        >>> crop_images(torch.ones(6, 8, 3), 1, 2, target_height=4, target_width=4).shape
        torch.Size([4, 4, 3])
    """
    where = "ops.image.crop_images"
    x, last, single = batch_of(where, images, data_format)
    rows = _two_of_three(
        where, top_cropping=top_cropping, bottom_cropping=bottom_cropping, target_height=target_height
    )
    columns = _two_of_three(
        where, left_cropping=left_cropping, right_cropping=right_cropping, target_width=target_width
    )
    (top, height), (left, width) = _kept(where, rows, x.shape[2]), _kept(where, columns, x.shape[3])
    return as_given(x[:, :, top : top + height, left : left + width], last, single)


def _kept(where: str, axis: dict[str, int | None], size: int) -> tuple[int, int]:
    before, after, total = axis.values()
    if before is None:
        before = size - (total or 0) - (after or 0)
    elif total is None:
        total = size - before - (after or 0)
    if before < 0 or (total or 0) < 0 or before + (total or 0) > size:
        expected = f"a part of the {size} pixels ({', '.join(axis)})"
        raise ArgumentError(message(where, expected=expected, got=f"{total} from {before} on"))
    return before, total or 0
